using System.Buffers;
using System.Runtime.InteropServices;
using TokenFactory.Inference.Dialects.Events;

namespace TokenFactory.Inference.Metering.Scanning;
/// <summary>
/// The text that was delivered, kept only until it is counted: at most 16 KB, as escaped as it came, so that a stream
/// whose backend reports usage pays a copy and nothing else. When full it is folded into a running count. Choices that
/// interleave are counted apart. With one choice a fold cuts before a space, where no token of the usual vocabularies
/// crosses; otherwise at the end of a delta, which can cost a token per choice and fold.
/// </summary>
internal sealed class DeliveredText(CountTokens count) : IDisposable
{
    private const int BoundBytes = 16 * 1024;
    private const int RunsBound = 2048;

    private readonly PooledBytes _raw = new();
    private readonly List<Run> _runs = [];
    private long _folded;

    /// <param name="raw">The inside of a JSON string.</param>
    public void Append(int choice, ReadOnlySpan<byte> raw)
    {
        while (_raw.Count + raw.Length > BoundBytes)
        {
            Fold();
            var free = BoundBytes - _raw.Count;
            if (raw.Length <= free)
            {
                break;
            }

            var cut = JsonEscapes.SafeCut(raw, free);
            Add(choice, raw[..cut]);
            raw = raw[cut..];
        }

        if (_runs.Count == RunsBound && choice != _runs[^1].Choice)
        {
            Fold();
        }

        Add(choice, raw);
    }

    /// <summary>Tokens of everything delivered until now. Costs a tokenisation of what is buffered, each time.</summary>
    public long Count() => _folded + CountRuns();

    public void Dispose()
    {
        _raw.Dispose();
        _runs.Clear();
    }

    private void Add(int choice, ReadOnlySpan<byte> raw)
    {
        if (raw.IsEmpty)
        {
            return;
        }

        var runs = CollectionsMarshal.AsSpan(_runs);
        if (runs.Length > 0 && runs[^1].Choice == choice)
        {
            runs[^1].Length += raw.Length;
        }
        else
        {
            _runs.Add(new Run { Choice = choice, Start = _raw.Count, Length = raw.Length });
        }

        _raw.Append(raw);
    }

    private void Fold()
    {
        // An escaped string has no other use for a space than a space.
        var cut = _runs.Count == 1 ? _raw.Span.LastIndexOf((byte)' ') : -1;
        if (cut > BoundBytes / 2)
        {
            _folded += CountOne(_raw.Span[..cut]);
            _raw.RemoveFirst(cut);
            _runs[0] = _runs[0] with { Length = _raw.Count };
            return;
        }

        _folded += CountRuns();
        _raw.Clear();
        _runs.Clear();
    }

    private long CountRuns()
    {
        if (_runs.Count <= 1)
        {
            return CountOne(_raw.Span);
        }

        var total = 0L;
        var gathered = ArrayPool<byte>.Shared.Rent(_raw.Count);
        var runs = CollectionsMarshal.AsSpan(_runs);
        for (var first = 0; first < runs.Length; first++)
        {
            // The first run of a choice gathers the later ones; they are marked as taken by the sign of their length.
            if (runs[first].Length < 0)
            {
                continue;
            }

            var length = 0;
            for (var at = first; at < runs.Length; at++)
            {
                ref var run = ref runs[at];
                if (run.Choice == runs[first].Choice)
                {
                    _raw.Span.Slice(run.Start, run.Length).CopyTo(gathered.AsSpan(length));
                    length += run.Length;
                    run.Length = at == first ? run.Length : -run.Length;
                }
            }

            total += CountOne(gathered.AsSpan(0, length));
        }

        foreach (ref var run in runs)
        {
            run.Length = Math.Abs(run.Length);
        }

        ArrayPool<byte>.Shared.Return(gathered);
        return total;
    }

    private long CountOne(ReadOnlySpan<byte> raw)
    {
        if (raw.IsEmpty)
        {
            return 0;
        }

        if (!raw.Contains((byte)'\\'))
        {
            return count(raw);
        }

        var text = ArrayPool<byte>.Shared.Rent(raw.Length);
        var length = JsonEscapes.Unescape(raw, text);
        var tokens = count(text.AsSpan(0, length));
        ArrayPool<byte>.Shared.Return(text);
        return tokens;
    }

    private struct Run
    {
        public int Choice;
        public int Start;
        public int Length;
    }
}
