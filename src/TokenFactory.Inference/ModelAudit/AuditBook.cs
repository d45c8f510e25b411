using Microsoft.Extensions.Logging;
using TokenFactory.Storage.ModelAudit;

namespace TokenFactory.Inference.ModelAudit;

/// <summary>
/// What is to be written of the audit, kept until the store has taken it: the running period of each deployment, again and again; periods that
/// are over; flags, each until it is durable with its event. Bounded: while the store is away for long the oldest periods are given up, and
/// beyond that the oldest flags. Adding is for one thread, writing for one at a time.
/// </summary>
internal sealed partial class AuditBook(IModelAuditStore store, Instance instance, ModelAuditMetrics metrics, TimeProvider clock, ILogger<AuditBook> logger)
{
    public static readonly TimeSpan Period = TimeSpan.FromMinutes(5);
    public static readonly TimeSpan Kept = TimeSpan.FromDays(7);

    private const int MostPeriods = 2048;
    private const int MostSteps = 512;

    private static readonly TimeSpan _writeEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _forgetEvery = TimeSpan.FromHours(1);

    private readonly Lock _book = new();
    private readonly Dictionary<string, PeriodTotals> _running = new(StringComparer.Ordinal);
    private readonly HashSet<string> _changed = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Deployment, DateTimeOffset Start), AuditedPeriod> _waiting = [];
    private readonly List<Step> _steps = [];
    private long _triedAt;
    private long _forgotAt = clock.GetTimestamp();
    private bool _failed;

    /// <summary>A flag waits no longer than it must; figures gather.</summary>
    public bool IsDue
    {
        get
        {
            lock (_book)
            {
                return (_steps.Count > 0 && !_failed) || _triedAt == 0 || clock.GetElapsedTime(_triedAt) >= _writeEvery;
            }
        }
    }

    public void Add(string deployment, ReadOnlySpan<AnswerSample> samples, DateTimeOffset at)
    {
        var start = new DateTimeOffset(at.UtcTicks - (at.UtcTicks % Period.Ticks), TimeSpan.Zero);
        lock (_book)
        {
            if (!_running.TryGetValue(deployment, out var totals) || totals.Start != start)
            {
                Close(deployment, totals);
                _running[deployment] = totals = new PeriodTotals(start);
            }

            foreach (ref readonly var sample in samples)
            {
                totals.Add(sample);
            }

            _changed.Add(deployment);
        }
    }

    /// <summary>It is not configured any more: what is known of it is still written.</summary>
    public void Forget(string deployment)
    {
        lock (_book)
        {
            if (_running.Remove(deployment, out var totals))
            {
                Close(deployment, totals);
                _changed.Remove(deployment);
            }
        }
    }

    public void Raise(AuditFlag flag) => Put(new Step(flag, flag.Id, flag.DetectedAt));

    public void End(Guid flag, DateTimeOffset at) => Put(new Step(null, flag, at));

    /// <summary>Never fails: what could not be written is written with the next.</summary>
    public async Task WriteAsync(CancellationToken cancel)
    {
        var (steps, periods) = Taken();
        try
        {
            foreach (var step in steps)
            {
                await (step.Raised is { } flag ? store.RaiseAsync(flag, cancel) : store.EndAsync(step.Flag, step.At, cancel));
                lock (_book)
                {
                    _steps.Remove(step);
                }
            }

            await store.WriteAsync(periods, cancel);
            Written(periods);
            if (clock.GetElapsedTime(_forgotAt) >= _forgetEvery)
            {
                _forgotAt = clock.GetTimestamp();
                await store.ForgetAsync(clock.GetUtcNow() - Kept, cancel);
            }

            _failed = false;
        }
        catch (Exception cause)
        {
            // The edge of a background loop: whatever it was, requests go on, and the same is written again.
            metrics.WriteFailed();
            Log.NotWritten(logger, steps.Count, periods.Count, cause.Message);
            _failed = true;
        }
    }

    private (List<Step> Steps, List<AuditedPeriod> Periods) Taken()
    {
        lock (_book)
        {
            _triedAt = clock.GetTimestamp();
            foreach (var deployment in _changed)
            {
                Wait(_running[deployment].Written(deployment, instance.Id));
            }

            _changed.Clear();
            return ([.. _steps], [.. _waiting.Values]);
        }
    }

    private void Written(List<AuditedPeriod> periods)
    {
        lock (_book)
        {
            foreach (var one in periods)
            {
                // Unless it has grown since.
                if (_waiting.TryGetValue((one.Deployment, one.Start), out var waiting) && ReferenceEquals(waiting, one))
                {
                    _waiting.Remove((one.Deployment, one.Start));
                }
            }
        }
    }

    private void Close(string deployment, PeriodTotals? totals)
    {
        if (totals is not null && _changed.Contains(deployment))
        {
            Wait(totals.Written(deployment, instance.Id));
        }
    }

    private void Wait(AuditedPeriod period)
    {
        if (_waiting.Count >= MostPeriods && !_waiting.ContainsKey((period.Deployment, period.Start)))
        {
            _waiting.Remove(_waiting.Keys.MinBy(static key => key.Start));
            metrics.Dropped(1);
        }

        _waiting[(period.Deployment, period.Start)] = period;
    }

    private void Put(Step step)
    {
        lock (_book)
        {
            if (_steps.Count >= MostSteps)
            {
                _steps.RemoveAt(0);
                metrics.Dropped(1);
            }

            _steps.Add(step);
        }
    }

    /// <param name="Raised">Null when the flag is over.</param>
    private sealed record Step(AuditFlag? Raised, Guid Flag, DateTimeOffset At);

    private static partial class Log
    {
        [LoggerMessage(9103, LogLevel.Error, "What the model audit found ({Flags} flags, {Periods} periods) could not be written and is tried again: {Reason}")]
        public static partial void NotWritten(ILogger logger, int flags, int periods, string reason);
    }
}
