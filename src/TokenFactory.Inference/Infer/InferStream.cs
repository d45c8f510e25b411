using System.Buffers;
using Microsoft.AspNetCore.Http.Features;
using TokenFactory.Inference.Dialects;

namespace TokenFactory.Inference.Infer;

/// <summary>
/// The body that the path writes a streamed answer into: events go on as the contract's, as they come; anything else, an error or an answer
/// of one body, is held to be rewritten.
/// </summary>
internal sealed class InferStream(IHttpResponseBodyFeature client, BodyBudget budget, TimeProvider clock) : Stream
{
    private const int HeldBytes = 1024 * 1024;

    // Clients take a longer silence for a dead connection; a model that thinks says nothing that this contract passes on.
    private static readonly TimeSpan _silence = TimeSpan.FromSeconds(15);

    private static readonly byte[] _keepAlive = ": keep-alive\n\n"u8.ToArray();

    private readonly InferEvents _events = new(budget);
    private readonly HeldAnswer _held = new(budget, HeldBytes);
    private bool _begun;
    private long _spoke = clock.GetTimestamp();

    public bool IsStream { get; private set; }

    public string? FinishReason => _events.FinishReason;

    public HeldAnswer Held => _held;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Writes the last event, with what is known now that all is settled; nothing when the stream broke, whose last event is the error.</summary>
    public async Task EndAsync(ReadOnlyMemory<byte> result, CancellationToken cancel)
    {
        if (!_events.IsDone)
        {
            return;
        }

        client.Writer.Write("event: result\ndata: "u8);
        client.Writer.Write(result.Span);
        client.Writer.Write("\n\n"u8);
        await client.Writer.FlushAsync(cancel);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!_begun && buffer.Length > 0)
        {
            // A body of JSON begins with its brace, an event or a comment never does.
            (_begun, IsStream) = (true, buffer.Span[0] != (byte)'{');
        }

        if (!IsStream)
        {
            _held.Write(buffer.Span);
            return;
        }

        var events = Converted(buffer.Span);
        if (events.IsEmpty && clock.GetElapsedTime(_spoke) >= _silence)
        {
            events = _keepAlive;
        }

        if (events.Length > 0)
        {
            _spoke = clock.GetTimestamp();
            client.Writer.Write(events.Span);
            await client.Writer.FlushAsync(cancellationToken);
        }
    }

    /// <summary>Whoever writes here has checked what it writes; an event that is no JSON says nothing that this contract passes on.</summary>
    private ReadOnlyMemory<byte> Converted(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return _events.Feed(bytes);
        }
        catch (UnreadableAnswerException)
        {
            return default;
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

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
            _events.Dispose();
            _held.Dispose();
        }

        base.Dispose(disposing);
    }
}
