using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;
using TokenFactory.Inference.Dialects;
using TokenFactory.Inference.Dispatch;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference.Metering;

/// <summary>
/// The response body that Dispatch writes into. Each attempt's body begins a new answer; what went wrong while reading it
/// is left on the exchange, and the copying stops.
/// </summary>
internal sealed class MeteredBody(Exchange exchange, Delivery delivery, AnswerFactory answers) : Stream, IHttpResponseBodyFeature
{
    private UpstreamHead? _head;
    private PipeWriter? _writer;

    /// <summary>The answer of the latest attempt that had a body; null when none had.</summary>
    public Answer? Answer { get; private set; }

    public Delivery Delivery => delivery;

    public Stream Stream => this;

    public PipeWriter Writer => _writer ??= PipeWriter.Create(this, new StreamPipeWriterOptions(leaveOpen: true));

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            var answer = Begin();
            await answer.TakeAsync(_head!.Converter?.Feed(buffer.Span) ?? buffer, cancellationToken);
        }
        catch (Exception broken) when (FaultOf(broken) is { } fault)
        {
            Leave(fault);
            throw;
        }
    }

    /// <summary>The attempt's body has ended in order: looks whether it was a whole answer. An attempt without a body is none either.</summary>
    public async Task CompleteAsync()
    {
        if (exchange.BackendFault is not null)
        {
            return;
        }

        var answer = Begin();
        try
        {
            if (_head!.Converter is { } converter)
            {
                await answer.TakeAsync(converter.Complete(), delivery.ClientGone);
            }

            if (answer.Conclude() is { } failure)
            {
                Leave(failure);
            }
        }
        catch (Exception broken) when (FaultOf(broken) is { } fault)
        {
            Leave(fault);
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException && delivery.ClientGone.IsCancellationRequested)
        {
            // Whoever judges the attempt sees that the client went away.
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public void DisableBuffering()
    {
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Answer?.Dispose();
            _head?.Converter?.Dispose();
            delivery.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Leave(Failure fault)
    {
        exchange.BackendFault = fault;
        if (!exchange.FirstByteSent)
        {
            // The next candidate may take its time, and nobody reads this answer any more.
            _head?.Converter?.Dispose();
        }
    }

    private static Failure? FaultOf(Exception broken) => broken switch
    {
        BackendFaultException fault => fault.Failure,
        UnreadableAnswerException => new Failure(Outcome.Failed, GatewayError.BackendFailed, TookPrompt: true),
        NoRoomForAnswerException none => new Failure(Outcome.Failed, none.Error, TookPrompt: true),
        JournalUnavailableException => new Failure(Outcome.Failed, GatewayError.JournalUnavailable, TookPrompt: false),
        _ => null,
    };

    private Answer Begin()
    {
        var head = exchange.Head ?? throw new InvalidOperationException("Dispatch announces an answer before its first byte");
        if (!ReferenceEquals(head, _head))
        {
            Answer?.Dispose();
            _head?.Converter?.Dispose();
            Answer = answers.For(exchange, head, delivery);
            _head = head;
        }

        return Answer!;
    }
}
