using System.Collections;

namespace TokenFactory.Inference.Metering.Scanning;

/// <summary>
/// The byte ranges that may go to the client now, in order. Neighbours within the fed chunk are joined, so a chunk that
/// passes whole is one segment: the chunk itself. <c>foreach</c> over this type allocates nothing.
/// </summary>
internal sealed class Segments : IReadOnlyList<ReadOnlyMemory<byte>>
{
    private readonly List<ReadOnlyMemory<byte>> _segments = [];
    private ReadOnlyMemory<byte> _chunk;
    private int _start;
    private int _end = -1;

    public int Count => _segments.Count;

    public ReadOnlyMemory<byte> this[int index] => _segments[index];

    public List<ReadOnlyMemory<byte>>.Enumerator GetEnumerator() => _segments.GetEnumerator();

    IEnumerator<ReadOnlyMemory<byte>> IEnumerable<ReadOnlyMemory<byte>>.GetEnumerator() => GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public void Begin(ReadOnlyMemory<byte> chunk)
    {
        _segments.Clear();
        _chunk = chunk;
        _end = -1;
    }

    /// <param name="offset">Where the piece lies in the fed chunk; negative when it lies in a buffer of ours.</param>
    public void Add(ReadOnlyMemory<byte> piece, int offset)
    {
        if (piece.IsEmpty)
        {
            return;
        }

        if (offset >= 0 && offset == _end)
        {
            _end += piece.Length;
            _segments[^1] = _chunk[_start.._end];
            return;
        }

        _segments.Add(piece);
        _start = offset;
        _end = offset < 0 ? -1 : offset + piece.Length;
    }
}
