using System.Collections.Concurrent;

namespace TokenFactory.Inference.Routing;

/// <summary>What this process sees of each deployment while it asks it: how many requests it has open, and how soon it begins to answer.
/// As many as the configuration has named since the start.</summary>
internal sealed class Observations(TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, Observed> _seen = new(StringComparer.Ordinal);

    public Observed Of(string deployment) => _seen.GetOrAdd(deployment, static (_, time) => new Observed(time), clock);
}

/// <summary>One deployment, as seen by this process.</summary>
internal sealed class Observed(TimeProvider clock)
{
    // The newest answer weighs a fifth: a dozen answers tell of a change, one does not.
    private const double Weight = 0.2;

    // What was not seen for so long is not known any more, and is found out again.
    private static readonly TimeSpan _forgotten = TimeSpan.FromMinutes(1);

    private readonly Lock _update = new();
    private readonly Average[] _averages = new Average[2];
    private EnginesSaid? _engines;
    private int _open;

    /// <summary>Requests that it was given and has not ended.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>Requests there: what its engines say, and what was given to it since; without them those of this process.</summary>
    public double Load => Volatile.Read(ref _engines) is { } said && clock.GetElapsedTime(said.At) < said.Kept ? Math.Max(0, said.Load + Open - said.OpenThen) : Open;

    /// <summary>All its engines have said how loaded they are.</summary>
    /// <param name="kept">For how long that is true.</param>
    public void Engines(double load, TimeSpan kept) => Volatile.Write(ref _engines, new EnginesSaid(load, Open, clock.GetTimestamp(), kept));

    public void Begin() => Interlocked.Increment(ref _open);

    /// <param name="firstByte">From the start of the attempt to the first byte of its body; null when there was none.</param>
    /// <param name="isStream">Streams and whole answers are averaged apart: the first byte of a whole answer is its last as well.</param>
    public void End(TimeSpan? firstByte, bool isStream)
    {
        Interlocked.Decrement(ref _open);
        if (firstByte is not { } time)
        {
            return;
        }

        lock (_update)
        {
            ref var average = ref _averages[isStream ? 1 : 0];
            average = new Average(true, IsKnown(average) ? average.Seconds + (Weight * (time.TotalSeconds - average.Seconds)) : time.TotalSeconds, clock.GetTimestamp());
        }
    }

    /// <summary>How soon it begins to answer; null when that is not known.</summary>
    public TimeSpan? FirstByte(bool isStream)
    {
        lock (_update)
        {
            var average = _averages[isStream ? 1 : 0];
            return IsKnown(average) ? TimeSpan.FromSeconds(average.Seconds) : null;
        }
    }

    private bool IsKnown(Average average) => average.IsThere && clock.GetElapsedTime(average.At) < _forgotten;

    private sealed record EnginesSaid(double Load, int OpenThen, long At, TimeSpan Kept);

    private readonly record struct Average(bool IsThere, double Seconds, long At);
}
