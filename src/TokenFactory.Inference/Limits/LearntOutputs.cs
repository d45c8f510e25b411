using System.Collections.Concurrent;
using System.Numerics;

namespace TokenFactory.Inference.Limits;

/// <summary>
/// How long each deployment's answers are when nothing bounds them, learnt from those it finished: what is held for the next
/// one. Without it every such request would hold thousands of tokens for an answer of fifty, and a limit would refuse
/// most of what fits it. A deployment that has not answered enough yet is held for by <see cref="UnknownTokens"/>.
/// </summary>
internal sealed class LearntOutputs
{
    /// <summary>What is held for an answer that neither the caller nor the registry bounds and nothing is known of.</summary>
    public const long UnknownTokens = 4096;

    private const int EnoughAnswers = 32;
    private const double Quantile = 0.95;
    private const double Margin = 1.25;

    // Keyed by names of the registry, so as bounded as it is.
    private readonly ConcurrentDictionary<string, Lengths> _lengths = new(StringComparer.Ordinal);

    /// <summary>The tokens to hold for one choice of an answer.</summary>
    public long Expect(string deployment) => _lengths.TryGetValue(deployment, out var lengths) ? lengths.Expected : UnknownTokens;

    /// <summary>An answer that nothing had bounded was finished.</summary>
    public void Learn(string deployment, long tokens) => _lengths.GetOrAdd(deployment, static _ => new Lengths()).Add(tokens);

    /// <summary>A histogram with four steps to each doubling (so at most a quarter too high), in which the past fades: at a few thousand answers all counts are halved.</summary>
    private sealed class Lengths
    {
        private const int FadeAt = 4096;
        private const int StepsPerDoubling = 4;

        private readonly Lock _lock = new();
        private readonly int[] _counts = new int[StepsPerDoubling * 40];
        private int _total;
        private long _expected = UnknownTokens;

        public long Expected => Volatile.Read(ref _expected);

        public void Add(long tokens)
        {
            lock (_lock)
            {
                _counts[StepOf(tokens)]++;
                _total++;
                if (_total >= FadeAt)
                {
                    Fade();
                }

                // A walk over the steps for each answer would cost more than it tells.
                if (_total >= EnoughAnswers && _total % EnoughAnswers == 0)
                {
                    Volatile.Write(ref _expected, (long)Math.Ceiling(Length() * Margin));
                }
            }
        }

        private long Length()
        {
            var rank = (int)Math.Ceiling(_total * Quantile);
            for (var (step, seen) = (0, 0); step < _counts.Length; step++)
            {
                seen += _counts[step];
                if (seen >= rank)
                {
                    return TopOf(step);
                }
            }

            return TopOf(_counts.Length - 1);
        }

        private void Fade()
        {
            _total = 0;
            foreach (ref var count in _counts.AsSpan())
            {
                count /= 2;
                _total += count;
            }
        }

        // Below one doubling the steps are the numbers themselves; above, the two bits after the highest choose the step.
        private int StepOf(long tokens)
        {
            if (tokens < StepsPerDoubling)
            {
                return (int)Math.Max(tokens, 0);
            }

            var doubling = BitOperations.Log2((ulong)tokens);
            return Math.Min((StepsPerDoubling * (doubling - 1)) + (int)((tokens >> (doubling - 2)) & (StepsPerDoubling - 1)), _counts.Length - 1);
        }

        private static long TopOf(int step)
        {
            if (step < StepsPerDoubling)
            {
                return step;
            }

            var (doubling, part) = ((step / StepsPerDoubling) + 1, step % StepsPerDoubling);
            return (1L << doubling) + ((part + 1L) << (doubling - 2)) - 1;
        }
    }
}
