using System.Buffers;

namespace TokenFactory.Tokenizer;

/// <summary>The pairs that could merge, lowest rank first and leftmost among equals, in a binary heap over a rented array.
/// Pairs that merging has made stale stay inside; whoever takes them tells.</summary>
internal ref struct PairHeap(int capacity)
{
    private readonly ulong[] _pairs = ArrayPool<ulong>.Shared.Rent(capacity);
    private int _count;

    /// <summary>Comparisons made, the measure of work.</summary>
    internal long Steps { get; private set; }

    internal void Push(int rank, int at)
    {
        var pair = ((ulong)rank << 32) | (uint)at;
        var hole = _count++;
        while (hole > 0 && _pairs[(hole - 1) / 2] is var parent && parent > pair)
        {
            _pairs[hole] = parent;
            hole = (hole - 1) / 2;
            Steps++;
        }

        _pairs[hole] = pair;
    }

    internal bool TryTake(out int rank, out int at)
    {
        if (_count == 0)
        {
            rank = at = 0;
            return false;
        }

        rank = (int)(_pairs[0] >> 32);
        at = (int)(uint)_pairs[0];
        var last = _pairs[--_count];
        var hole = 0;
        while ((2 * hole) + 1 is var child && child < _count)
        {
            if (child + 1 < _count && _pairs[child + 1] < _pairs[child])
            {
                child++;
            }

            Steps++;
            if (_pairs[child] >= last)
            {
                break;
            }

            _pairs[hole] = _pairs[child];
            hole = child;
        }

        _pairs[hole] = last;
        return true;
    }

    internal readonly void Return() => ArrayPool<ulong>.Shared.Return(_pairs);
}
