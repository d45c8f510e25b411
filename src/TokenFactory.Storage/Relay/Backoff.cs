namespace TokenFactory.Storage.Relay;

/// <summary>
/// Exponential backoff with full jitter: a pause is at most as long as the trouble has lasted already, so whoever comes back
/// waits no longer than it was away, and after a long outage the replicas do not return in step.
/// </summary>
internal sealed class Backoff(TimeSpan first, TimeSpan longest, TimeProvider clock, Random random)
{
    private long? _since;

    public void Reset() => _since = null;

    public TimeSpan Next()
    {
        _since ??= clock.GetTimestamp();
        var lasted = clock.GetElapsedTime(_since.Value);
        return Math.Clamp(lasted.TotalMilliseconds, first.TotalMilliseconds, longest.TotalMilliseconds) * random.NextDouble() * TimeSpan.FromMilliseconds(1);
    }
}
