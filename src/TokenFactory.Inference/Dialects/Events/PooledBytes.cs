using System.Buffers;

namespace TokenFactory.Inference.Dialects.Events;

/// <summary>A growing byte buffer on pooled memory. The caller bounds what it appends.</summary>
internal sealed class PooledBytes : IDisposable
{
    private byte[] _bytes = [];

    public int Count { get; private set; }

    public ReadOnlySpan<byte> Span => _bytes.AsSpan(0, Count);

    public ReadOnlyMemory<byte> Memory => _bytes.AsMemory(0, Count);

    public void Append(ReadOnlySpan<byte> more)
    {
        if (Count + more.Length > _bytes.Length)
        {
            Grow(Count + more.Length);
        }

        more.CopyTo(_bytes.AsSpan(Count));
        Count += more.Length;
    }

    /// <summary>Forgets the first bytes, keeps the rest.</summary>
    public void RemoveFirst(int count)
    {
        Span[count..].CopyTo(_bytes);
        Count -= count;
    }

    public void Clear() => Count = 0;

    public void Dispose()
    {
        var bytes = _bytes;
        _bytes = [];
        Count = 0;
        if (bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private void Grow(int needed)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, Math.Max(1024, _bytes.Length * 2)));
        Span.CopyTo(larger);
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
        }

        _bytes = larger;
    }
}
