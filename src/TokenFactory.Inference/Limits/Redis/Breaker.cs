namespace TokenFactory.Inference.Limits.Redis;

/// <summary>After a few failures in a row nobody waits for Redis any more, but one call a second that finds out whether it is back.</summary>
internal sealed class Breaker(TimeProvider clock)
{
    private const int FailuresToOpen = 3;
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(1);

    private readonly long _pauseTicks = (long)(_pause.TotalSeconds * clock.TimestampFrequency);
    private long _tryAfter;
    private int _failures;

    /// <summary>Nobody but the one that finds out should send anything.</summary>
    public bool IsOpen => Volatile.Read(ref _failures) >= FailuresToOpen;

    /// <summary>True for everybody while closed; while open for one caller a pause.</summary>
    public bool MayTry()
    {
        if (!IsOpen)
        {
            return true;
        }

        var after = Volatile.Read(ref _tryAfter);
        var now = clock.GetTimestamp();
        return now >= after && Interlocked.CompareExchange(ref _tryAfter, now + _pauseTicks, after) == after;
    }

    /// <returns>True when this closed it.</returns>
    public bool Succeeded() => Volatile.Read(ref _failures) != 0 && Interlocked.Exchange(ref _failures, 0) >= FailuresToOpen;

    /// <returns>True when this opened it.</returns>
    public bool Failed()
    {
        Volatile.Write(ref _tryAfter, clock.GetTimestamp() + _pauseTicks);
        return Interlocked.Increment(ref _failures) == FailuresToOpen;
    }
}
