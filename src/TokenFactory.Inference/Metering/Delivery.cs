using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using TokenFactory.Inference.Dispatch;
using TokenFactory.Inference.Metering.Scanning;

namespace TokenFactory.Inference.Metering;

/// <summary>
/// The client's side of an answer. The first byte waits until the admission is durable (P1); writes of the answer and
/// keep-alive comments take turns, so that a comment never lands inside an event. Made before the first attempt, because
/// during one the context shows the attempt's staged response and not the client's.
/// </summary>
internal sealed class Delivery(HttpContext context, Exchange exchange, TimeProvider clock) : IDisposable
{
    private readonly IHttpResponseFeature _head = context.Features.GetRequiredFeature<IHttpResponseFeature>();
    private readonly IHttpResponseBodyFeature _body = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
    private readonly IHttpRequestLifetimeFeature _lifetime = context.Features.GetRequiredFeature<IHttpRequestLifetimeFeature>();
    private readonly SemaphoreSlim _turn = new(1, 1);
    private long _lastWrite;

    /// <summary>When the first byte of the answer went out, in timestamp ticks; 0 while none did.</summary>
    public long FirstByteAt { get; private set; }

    /// <summary>Whether the client has the head of the response, so that an error can only be told in-band.</summary>
    public bool HasStarted => _head.HasStarted;

    /// <summary>Cancelled when the client is gone.</summary>
    public CancellationToken ClientGone => _lifetime.RequestAborted;

    /// <summary>Sends segments of the answer and flushes them in one write.</summary>
    public async ValueTask SendAsync(Segments segments, UpstreamHead head, CancellationToken cancel)
    {
        if (segments.Count == 0)
        {
            return;
        }

        await _turn.WaitAsync(cancel);
        try
        {
            await BeginAsync(head, length: null);
            foreach (var segment in segments)
            {
                _body.Writer.Write(segment.Span);
            }

            await _body.Writer.FlushAsync(cancel);
            _lastWrite = clock.GetTimestamp();
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Hands over the last bytes without a flush of their own: the server sends them together with the response's end.</summary>
    public async ValueTask FinishAsync(ReadOnlyMemory<byte> last, UpstreamHead head, long? length)
    {
        // A comment may still be on its way: two writers would mix their bytes.
        await _turn.WaitAsync();
        try
        {
            await BeginAsync(head, length);
            _body.Writer.Write(last.Span);

            // Once such a head is gone, Kestrel ends the response without looking for bytes that were not flushed.
            if (_head.HasStarted && _head.Headers.ContentLength is not null)
            {
                await _body.Writer.FlushAsync(_lifetime.RequestAborted);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Tells the client that somebody is still there, when nothing was said for the interval: SDKs cut at 100 s of
    /// silence and silently call again. Returns after how long to look again.</summary>
    public async Task<TimeSpan> KeepAliveAsync(TimeSpan interval)
    {
        var silence = _lastWrite == 0 ? interval : clock.GetElapsedTime(_lastWrite);
        if (silence < interval)
        {
            return interval - silence;
        }

        // When the answer is being written there is no silence to fill.
        if (!await _turn.WaitAsync(0))
        {
            return interval;
        }

        try
        {
            await exchange.Admitted;
            if (!exchange.AnswerIsWhole)
            {
                StartEventStream();
                _body.Writer.Write(": keep-alive\n\n"u8);
                await _body.Writer.FlushAsync(_lifetime.RequestAborted);
                _lastWrite = clock.GetTimestamp();
            }

            return interval;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Ends a started stream with an error event, and the connection without the body's end: the only form that every
    /// SDK notices (P7). Always throws.</summary>
    /// <exception cref="BrokenAnswerException">All is written: the server has to end the connection.</exception>
    public async Task FailInBandAsync(GatewayError error, Answer? answer, bool eventStream)
    {
        if (eventStream)
        {
            await _turn.WaitAsync();
            if (answer is { IsInsideEvent: true })
            {
                _body.Writer.Write("\n\n"u8);
            }

            _body.Writer.Write(ErrorBody.ToEvent(error, exchange.Dialect, exchange.RequestIdText, answer?.NextSequenceNumber ?? 0).Span);
            await _body.Writer.FlushAsync(_lifetime.RequestAborted);
        }

        throw new BrokenAnswerException();
    }

    public void Dispose() => _turn.Dispose();

    private async ValueTask BeginAsync(UpstreamHead head, long? length)
    {
        if (exchange.FirstByteSent)
        {
            return;
        }

        await exchange.Admitted;
        exchange.FirstByteSent = true;
        FirstByteAt = clock.GetTimestamp();
        if (head.IsEventStream)
        {
            StartEventStream();
            return;
        }

        AnswerHeaders.Write(_head.Headers, exchange);
        _head.Headers.ContentType = head.ContentType ?? "application/json";
        _head.Headers.ContentLength = length ?? head.ContentLength;
    }

    private void StartEventStream()
    {
        if (_head.HasStarted)
        {
            return;
        }

        var headers = _head.Headers;
        AnswerHeaders.Write(headers, exchange);
        headers.ContentType = "text/event-stream; charset=utf-8";
        headers.CacheControl = "no-cache";
        headers["X-Accel-Buffering"] = "no";
    }
}
