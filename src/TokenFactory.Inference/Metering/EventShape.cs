namespace TokenFactory.Inference.Metering;

/// <summary>
/// The skeleton of a chunk that was read in full: everything but its texts. The next chunk with the same skeleton says the
/// same things with another text, so comparing a few long pieces replaces parsing it. A chunk that finishes a choice,
/// carries usage or an error is never a skeleton; a match can therefore hide none of these.
/// </summary>
internal sealed class EventShape : IDisposable
{
    private const int LiteralBoundBytes = 2048;
    private const int HolesBound = 8;
    private const int CutsBound = 2;

    private readonly PooledBytes _literal = new();
    private readonly (int LiteralEnd, int Choice)[] _holes = new (int, int)[HolesBound];
    private readonly TextRange[] _found = new TextRange[HolesBound];
    private readonly (int Start, int End, int Hole)[] _literalCuts = new (int, int, int)[CutsBound];
    private readonly List<(int Start, int End)> _cuts = [];
    private int _holeCount;
    private int _cutCount;

    public bool IsEmpty => _literal.Count == 0;

    /// <summary>The texts of the payload that matched last.</summary>
    public ReadOnlySpan<TextRange> Texts => _found.AsSpan(0, _holeCount);

    public List<(int Start, int End)> Cuts => _cuts;

    public bool HasChoices { get; private set; }

    public static bool Fits(ReadOnlySpan<byte> payload, ChunkReader chunk)
    {
        if (chunk.Usage.Length > 0 || chunk.IsError || chunk.Finishes.Count > 0
            || chunk.Texts.Count > HolesBound || chunk.Cuts.Count > CutsBound)
        {
            return false;
        }

        var literal = payload.Length;
        foreach (var text in chunk.Texts)
        {
            literal -= text.Length;
        }

        return literal <= LiteralBoundBytes;
    }

    public void Learn(ReadOnlySpan<byte> payload, ChunkReader chunk)
    {
        _literal.Clear();
        _holeCount = 0;
        _cutCount = 0;
        HasChoices = chunk.HasChoices;
        var at = 0;
        foreach (var text in chunk.Texts)
        {
            LearnCuts(chunk, at, text.Start);
            _literal.Append(payload[at..text.Start]);
            _holes[_holeCount++] = (_literal.Count, text.Choice);
            at = text.Start + text.Length;
        }

        LearnCuts(chunk, at, payload.Length);
        _literal.Append(payload[at..]);
    }

    public bool Matches(ReadOnlySpan<byte> payload)
    {
        var literal = _literal.Span;
        var from = 0;
        var at = 0;
        for (var hole = 0; hole < _holeCount; hole++)
        {
            var (end, choice) = _holes[hole];
            if (!payload[at..].StartsWith(literal[from..end]))
            {
                return false;
            }

            at += end - from;
            from = end;
            var stringEnd = JsonEscapes.StringEnd(payload, at);
            if (stringEnd < 0)
            {
                return false;
            }

            _found[hole] = new TextRange(at, stringEnd - at, choice);
            at = stringEnd;
        }

        if (!payload[at..].SequenceEqual(literal[from..]))
        {
            return false;
        }

        PlaceCuts();
        return true;
    }

    public void Dispose() => _literal.Dispose();

    /// <summary>Cuts are kept by their place in the literal pieces; no text lies inside one.</summary>
    private void LearnCuts(ChunkReader chunk, int from, int to)
    {
        foreach (var (start, end) in chunk.Cuts)
        {
            if (start >= from && start < to)
            {
                _literalCuts[_cutCount++] = (start - from + _literal.Count, end - from + _literal.Count, _holeCount);
            }
        }
    }

    private void PlaceCuts()
    {
        _cuts.Clear();
        for (var cut = 0; cut < _cutCount; cut++)
        {
            var (start, end, holes) = _literalCuts[cut];
            var shift = 0;
            for (var hole = 0; hole < holes; hole++)
            {
                shift += _found[hole].Length;
            }

            _cuts.Add((start + shift, end + shift));
        }
    }
}
