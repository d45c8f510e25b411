namespace TokenFactory.Inference.Dispatch;

/// <summary>Reads segments one after the other: the request body that YARP copies upstream, made anew for each attempt.</summary>
internal sealed class SegmentStream(IReadOnlyList<ReadOnlyMemory<byte>> segments) : Stream
{
    private int _segment;
    private int _offset;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length { get; } = Sum(segments);

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        var written = 0;
        while (written < buffer.Length && _segment < segments.Count)
        {
            var rest = segments[_segment].Span[_offset..];
            var taken = Math.Min(rest.Length, buffer.Length - written);
            rest[..taken].CopyTo(buffer[written..]);
            written += taken;
            _offset += taken;
            if (_offset == segments[_segment].Length)
            {
                _segment++;
                _offset = 0;
            }
        }

        return written;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => Task.FromResult(Read(buffer, offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private static long Sum(IReadOnlyList<ReadOnlyMemory<byte>> segments)
    {
        long sum = 0;
        foreach (var segment in segments)
        {
            sum += segment.Length;
        }

        return sum;
    }
}
