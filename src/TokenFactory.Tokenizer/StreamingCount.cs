using System.Buffers;

namespace TokenFactory.Tokenizer;

/// <summary>Counts a text that arrives in pieces, cut anywhere, also inside a character: <see cref="Total"/> is at any
/// time the count of everything added so far, as if it had been counted at once. Memory is bounded: whatever no
/// continuation can change is counted and forgotten, and the rest waits. The one exception to exactness: where
/// <see cref="HeldBytesLimit"/> bytes wait undecided (one unbroken run of letters, symbols or spaces of that length), they
/// are counted as if the text ended there, which may add a token or two for each such stretch.
/// Not thread-safe: one stream, one instance. Dispose returns the buffer.</summary>
public sealed class StreamingCount(TokenEncoding encoding) : IDisposable
{
    /// <summary>The most bytes that ever wait for the text to go on.</summary>
    public const int HeldBytesLimit = 16 * 1024;

    // Looking for the decided part each time the buffer has doubled, not at each piece, keeps the work linear however
    // finely the text is cut, and most texts need no look before their end.
    private const int FirstLookBytes = 512;

    private byte[] _held = [];
    private int _heldBytes;
    private int _lookAtBytes = FirstLookBytes;
    private int _counted;

    /// <summary>The tokens of everything added so far. Counts what is still held, so ask when it is needed, not per piece.</summary>
    public int Total => _counted + encoding.Count(_held.AsSpan(0, _heldBytes));

    internal int HeldBytes => _heldBytes;

    public void Add(ReadOnlySpan<byte> utf8)
    {
        while (!utf8.IsEmpty)
        {
            var taken = Math.Min(utf8.Length, _lookAtBytes - _heldBytes);
            Hold(utf8[..taken]);
            utf8 = utf8[taken..];
            if (_heldBytes == _lookAtBytes)
            {
                Fold();
            }
        }
    }

    public void Dispose()
    {
        if (_held.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_held);
            _held = [];
            _heldBytes = 0;
        }
    }

    private void Hold(ReadOnlySpan<byte> utf8)
    {
        if (_held.Length < _lookAtBytes)
        {
            var larger = ArrayPool<byte>.Shared.Rent(_lookAtBytes);
            _held.AsSpan(0, _heldBytes).CopyTo(larger);
            if (_held.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(_held);
            }

            _held = larger;
        }

        utf8.CopyTo(_held.AsSpan(_heldBytes));
        _heldBytes += utf8.Length;
    }

    private void Fold()
    {
        var decided = Count(_heldBytes, isWhole: false);
        if (decided == 0 && _heldBytes == HeldBytesLimit)
        {
            decided = Count(Utf8Text.WholeCharacters(_held.AsSpan(0, _heldBytes)), isWhole: true);
        }

        _held.AsSpan(decided.._heldBytes).CopyTo(_held);
        _heldBytes -= decided;
        _lookAtBytes = Math.Clamp(2 * _heldBytes, FirstLookBytes, HeldBytesLimit);
    }

    private int Count(int bytes, bool isWhole)
    {
        var progress = encoding.Encode(_held.AsSpan(0, bytes), isWhole, new TokenCount(), out var count);
        _counted += count.Value;
        return progress.Bytes;
    }
}
