using TokenFactory.Inference.Dialects;
using TokenFactory.Inference.Dialects.Events;

namespace TokenFactory.Inference.Metering.Scanning;

/// <summary>
/// The skeleton of a chunk that was read in full: everything but the values in its holes. The next chunk with the same
/// skeleton says the same things with other values, so comparing a few long pieces replaces parsing it. A chunk that
/// finishes a choice or carries an error is never a skeleton, so a match can hide neither.
/// </summary>
internal sealed class EventShape : IDisposable
{
    private const int LiteralBoundBytes = 2048;
    private const int HolesBound = 8;

    private readonly PooledBytes _literal = new();
    private readonly List<Hole> _learnt = [];
    private readonly List<Hole> _found = [];
    private readonly List<(int Start, int End)> _learntCuts = [];
    private readonly List<(int Start, int End)> _cuts = [];

    public bool IsEmpty => _literal.Count == 0;

    /// <summary>The holes of the payload that matched last.</summary>
    public List<Hole> Holes => _found;

    /// <summary>What of it to leave out, as <see cref="ChunkReader.Cuts"/>.</summary>
    public List<(int Start, int End)> Cuts => _cuts;

    /// <summary>Its usage object as parsed while matching.</summary>
    public ReportedUsage? Usage { get; private set; }

    public bool HasChoices { get; private set; }

    public static bool Fits(ReadOnlySpan<byte> payload, ChunkReader chunk)
    {
        if (chunk.IsUsageOnly || chunk.IsError || chunk.Finishes.Count > 0 || chunk.Holes.Count > HolesBound)
        {
            return false;
        }

        var literal = payload.Length;
        foreach (var hole in chunk.Holes)
        {
            literal -= hole.Length;
        }

        return literal <= LiteralBoundBytes;
    }

    public void Learn(ReadOnlySpan<byte> payload, ChunkReader chunk)
    {
        _literal.Clear();
        _learnt.Clear();
        _learntCuts.Clear();
        HasChoices = chunk.HasChoices;
        var at = 0;
        foreach (var hole in chunk.Holes)
        {
            _literal.Append(payload[at..hole.Start]);
            _learnt.Add(hole);
            at = hole.Start + hole.Length;
        }

        _literal.Append(payload[at..]);
        _learntCuts.AddRange(chunk.Cuts);
    }

    public bool Matches(ReadOnlySpan<byte> payload)
    {
        var literal = _literal.Span;
        var at = 0;
        var learntAt = 0;
        Usage = null;
        _found.Clear();
        foreach (var hole in _learnt)
        {
            var piece = literal[..(hole.Start - learntAt)];
            if (!payload[at..].StartsWith(piece))
            {
                return false;
            }

            literal = literal[piece.Length..];
            learntAt = hole.Start + hole.Length;
            at += piece.Length;
            var length = Length(hole.Kind, payload[at..]);
            if (length < 0)
            {
                return false;
            }

            _found.Add(hole with { Start = at, Length = length });
            at += length;
        }

        if (!payload[at..].SequenceEqual(literal))
        {
            return false;
        }

        PlaceCuts();
        return true;
    }

    public void Dispose() => _literal.Dispose();

    private int Length(HoleKind kind, ReadOnlySpan<byte> payload)
    {
        switch (kind)
        {
            case HoleKind.Number:
                return payload.IndexOfAnyExceptInRange((byte)'0', (byte)'9') is > 0 and var digits ? digits : -1;
            case HoleKind.Usage:
                Usage = ReportedUsage.Parse(payload, out var length) ?? Usage;
                return length > 0 ? length : -1;
            default:
                return JsonEscapes.StringEnd(payload, 0);
        }
    }

    private void PlaceCuts()
    {
        _cuts.Clear();
        foreach (var (start, end) in _learntCuts)
        {
            _cuts.Add((Place(start), Place(end)));
        }
    }

    /// <summary>Where a byte outside the holes lies now: moved by as much as the holes before it grew.</summary>
    private int Place(int learnt)
    {
        var moved = learnt;
        for (var hole = 0; hole < _learnt.Count && _learnt[hole].Start + _learnt[hole].Length <= learnt; hole++)
        {
            moved += _found[hole].Length - _learnt[hole].Length;
        }

        return moved;
    }
}
