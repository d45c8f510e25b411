using System.Buffers;

namespace TokenFactory.Tokenizer;

/// <summary>A stretch of a long piece, merged in n log n steps: a linked list of tokens in a rented array, one place per
/// byte, of which a token uses the place of its first byte.</summary>
internal ref struct MergedWindow
{
    private const int Gone = -1;

    private readonly ReadOnlySpan<byte> _bytes;
    private readonly Token[] _tokens;

    internal MergedWindow(Vocabulary vocabulary, ReadOnlySpan<byte> bytes)
    {
        _bytes = bytes;
        _tokens = ArrayPool<Token>.Shared.Rent(bytes.Length);
        Merge(vocabulary);
    }

    internal long Steps { get; private set; }

    internal readonly int Length => _bytes.Length;

    internal readonly int IdAt(int start) => _tokens[start].Id;

    internal readonly int Next(int start) => _tokens[start].Next;

    /// <summary>The start of the last token that begins at or before a place.</summary>
    internal readonly int StartAtOrBefore(int place)
    {
        while (_tokens[place].Rank == Gone)
        {
            place--;
        }

        return place;
    }

    internal readonly void Return() => ArrayPool<Token>.Shared.Return(_tokens);

    private void Merge(Vocabulary vocabulary)
    {
        var tokens = _tokens.AsSpan(0, _bytes.Length);

        // A merge takes one pair and adds at most two, so the heap never holds more than twice the bytes.
        var heap = new PairHeap(2 * tokens.Length);
        for (var at = 0; at < tokens.Length; at++)
        {
            var rank = at + 1 < tokens.Length ? vocabulary.Find(_bytes[at], _bytes[at + 1]) : Vocabulary.None;
            tokens[at] = new Token { Previous = at - 1, Next = at + 1, Id = vocabulary.Find(_bytes[at]), Rank = rank };
            if (rank != Vocabulary.None)
            {
                heap.Push(rank, at);
            }
        }

        while (heap.TryTake(out var rank, out var at))
        {
            Steps++;
            ref var token = ref tokens[at];
            if (token.Rank != rank)
            {
                continue;
            }

            ref var absorbed = ref tokens[token.Next];
            absorbed.Rank = Gone;
            token.Id = rank;
            token.Next = absorbed.Next;
            if (token.Next < tokens.Length)
            {
                tokens[token.Next].Previous = at;
            }

            Rank(vocabulary, tokens, at, ref heap);
            if (token.Previous >= 0)
            {
                Rank(vocabulary, tokens, token.Previous, ref heap);
            }
        }

        Steps += tokens.Length + heap.Steps;
        heap.Return();
    }

    /// <summary>Looks up what the token here and its neighbour would make, now that one of them has grown.</summary>
    private readonly void Rank(Vocabulary vocabulary, Span<Token> tokens, int at, ref PairHeap heap)
    {
        ref var token = ref tokens[at];
        token.Rank = token.Next < tokens.Length ? vocabulary.Find(_bytes[at..tokens[token.Next].Next]) : Vocabulary.None;
        if (token.Rank != Vocabulary.None)
        {
            heap.Push(token.Rank, at);
        }
    }

    private struct Token
    {
        internal int Previous;
        internal int Next;
        internal int Id;

        /// <summary>What it would make with the next one; <see cref="Gone"/> once another token has absorbed it.</summary>
        internal int Rank;
    }
}
