using TokenFactory.Inference.Dialects;
using TokenFactory.Inference.Dialects.Events;

namespace TokenFactory.Inference.Infer;

/// <summary>An answer that is read before it is given on. What cannot be held is let go: there is no answer then.</summary>
internal sealed class HeldAnswer(BodyBudget budget, int boundBytes) : Stream
{
    // Its tree, and the answer that is written of it.
    private readonly HeldBytes _bytes = new(budget, boundBytes, forms: 7);

    /// <summary>Why there is no answer: it is beyond the bound, or there was no room to hold it. Null while there is one.</summary>
    public GatewayError? Lost { get; private set; }

    public ReadOnlyMemory<byte> Memory => _bytes.Memory;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => _bytes.Count;

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (Lost is not null)
        {
            return;
        }

        if (_bytes.Count + buffer.Length > boundBytes)
        {
            Lost = GatewayError.AnswerTooLarge;
            _bytes.Dispose();
            return;
        }

        try
        {
            _bytes.Append(buffer);
        }
        catch (NoRoomForAnswerException none)
        {
            Lost = none.Error;
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return default;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        Write(buffer.AsSpan(offset, count));
        return Task.CompletedTask;
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _bytes.Dispose();
        }

        base.Dispose(disposing);
    }
}
