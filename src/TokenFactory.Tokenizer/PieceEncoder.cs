using System.Runtime.CompilerServices;

namespace TokenFactory.Tokenizer;

/// <summary>Turns one piece into tokens: a piece that is a token is one lookup; else its bytes are merged, lowest rank
/// first and leftmost among equals, until no neighbours make a token.</summary>
internal ref struct PieceEncoder<TSink>(Vocabulary vocabulary, TSink sink)
    where TSink : struct, ITokenSink
{
    /// <summary>Up to here looking through all pairs for the lowest rank beats keeping them in a heap.</summary>
    internal const int ShortBytes = 64;

    private TSink _sink = sink;

    internal readonly TSink Sink => _sink;

    /// <summary>How many pairs merging has looked at: what it costs, counted rather than timed.</summary>
    internal long PairsSeen { get; private set; }

    internal void Encode(ReadOnlySpan<byte> piece)
    {
        var whole = vocabulary.Find(piece);
        if (whole != Vocabulary.None)
        {
            _sink.Add(whole);
        }
        else if (piece.Length <= ShortBytes)
        {
            MergeShort(piece);
        }
        else
        {
            PairsSeen += LongPiece.Encode(vocabulary, piece, ref _sink);
        }
    }

    [SkipLocalsInit]
    private void MergeShort(ReadOnlySpan<byte> piece)
    {
        // Part i begins at starts[i]; ranks[i] is what parts i and i + 1 would make. The last part has no partner.
        Span<byte> starts = stackalloc byte[ShortBytes + 1];
        Span<int> ranks = stackalloc int[ShortBytes];
        Span<int> ids = stackalloc int[ShortBytes];
        var parts = piece.Length;
        for (var part = 0; part < parts; part++)
        {
            starts[part] = (byte)part;
            ids[part] = vocabulary.Find(piece[part]);
            ranks[part] = part + 1 < parts ? vocabulary.Find(piece[part], piece[part + 1]) : Vocabulary.None;
        }

        starts[parts] = (byte)piece.Length;
        while (true)
        {
            var lowest = Lowest(ranks[..parts]);
            PairsSeen += parts;
            if (ranks[lowest] == Vocabulary.None)
            {
                break;
            }

            ids[lowest] = ranks[lowest];
            starts[(lowest + 2)..(parts + 1)].CopyTo(starts[(lowest + 1)..]);
            ids[(lowest + 2)..parts].CopyTo(ids[(lowest + 1)..]);
            ranks[(lowest + 2)..parts].CopyTo(ranks[(lowest + 1)..]);
            parts--;
            ranks[lowest] = lowest + 1 < parts ? vocabulary.Find(piece[starts[lowest]..starts[lowest + 2]]) : Vocabulary.None;
            if (lowest > 0)
            {
                ranks[lowest - 1] = vocabulary.Find(piece[starts[lowest - 1]..starts[lowest + 1]]);
            }
        }

        foreach (var id in ids[..parts])
        {
            _sink.Add(id);
        }
    }

    private static int Lowest(ReadOnlySpan<int> ranks)
    {
        var lowest = 0;
        for (var part = 1; part < ranks.Length; part++)
        {
            if (ranks[part] < ranks[lowest])
            {
                lowest = part;
            }
        }

        return lowest;
    }
}
