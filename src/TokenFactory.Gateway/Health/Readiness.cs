namespace TokenFactory.Gateway.Health;

/// <summary>One condition of being ready. <paramref name="Passes"/> is quick, waits on nothing and may be asked at any time.</summary>
internal sealed record ReadinessCheck(string Name, Func<bool> Passes);

internal sealed record ReadinessOptions
{
    public const string Section = "Health";

    /// <summary>How long a check may fail before the replica leaves the load balancer. A database that blinks would
    /// otherwise unready every replica at once, and turn a short fault into an outage.</summary>
    public TimeSpan FailureTolerance { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often the checks are looked at between probes.</summary>
    public TimeSpan WatchInterval { get; init; } = TimeSpan.FromSeconds(1);
}

internal enum CheckState
{
    Pass,

    /// <summary>Failing, for less than the tolerance: still ready.</summary>
    Warn,
    Fail,
}

internal sealed record ReadinessReport(bool IsReady, IReadOnlyList<(string Name, CheckState State)> Checks);

/// <summary>
/// Whether this replica should get traffic. A check that passed once must then fail at every look for the whole tolerance
/// before readiness drops, and recovers at its first pass. There is no tolerance for a check that never passed (the process
/// is still starting) nor for draining (it is leaving).
/// </summary>
internal sealed class Readiness(IEnumerable<ReadinessCheck> checks, ReadinessOptions options, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly Watched[] _watched = [.. checks.Select(check => new Watched(check))];
    private volatile bool _draining;

    /// <summary>Whether this replica is leaving.</summary>
    public bool IsDraining => _draining;

    /// <summary>Readiness drops now and for good.</summary>
    public void Drain() => _draining = true;

    public ReadinessReport Look()
    {
        var draining = _draining;
        var now = clock.GetTimestamp();
        var states = new List<(string, CheckState)>(_watched.Length + 1);
        lock (_lock)
        {
            foreach (var watched in _watched)
            {
                states.Add((watched.Check.Name, watched.Look(now, options.FailureTolerance, clock)));
            }
        }

        states.Add(("draining", draining ? CheckState.Fail : CheckState.Pass));
        return new ReadinessReport(states.TrueForAll(s => s.Item2 != CheckState.Fail), states);
    }

    private sealed class Watched(ReadinessCheck check)
    {
        private bool _passedOnce;
        private long? _failingSince;

        public ReadinessCheck Check => check;

        public CheckState Look(long now, TimeSpan tolerance, TimeProvider clock)
        {
            if (Passes())
            {
                _passedOnce = true;
                _failingSince = null;
                return CheckState.Pass;
            }

            _failingSince ??= now;
            return _passedOnce && clock.GetElapsedTime(_failingSince.Value, now) < tolerance ? CheckState.Warn : CheckState.Fail;
        }

        private bool Passes()
        {
            try
            {
                return check.Passes();
            }
            catch (Exception) // whatever a check stumbles over is a failing check, and none of a prober's business
            {
                return false;
            }
        }
    }
}
