namespace TokenFactory.TestKit.Clock;

/// <summary>Time that passes when the test says so. <see cref="Advance"/> fires every timer that falls due, in order and each
/// at its own instant, on the caller's thread; <c>Task.Delay</c>, <c>PeriodicTimer</c> and timed cancellation work on it.
/// What awaits a timer continues on its own thread: await its outcome, not the clock.</summary>
public sealed class FakeClock(DateTimeOffset? start = null) : TimeProvider
{
    private readonly Lock _state = new();
    private readonly Lock _advancing = new();
    private readonly List<FakeTimer> _timers = [];
    private DateTimeOffset _epoch = start ?? new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private TimeSpan _elapsed;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>Timers that will fire if time passes.</summary>
    public int PendingTimers
    {
        get
        {
            lock (_state)
            {
                return _timers.Count;
            }
        }
    }

    public override DateTimeOffset GetUtcNow()
    {
        lock (_state)
        {
            return _epoch + _elapsed;
        }
    }

    public override long GetTimestamp()
    {
        lock (_state)
        {
            return _elapsed.Ticks;
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new FakeTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        lock (_advancing)
        {
            var target = Elapsed() + by;
            while (TakeDue(target) is { } due)
            {
                due.Fire();
            }

            lock (_state)
            {
                _elapsed = target;
            }
        }
    }

    /// <summary>The wall clock is corrected, forwards or backwards; no time passes and no timer fires.</summary>
    public void CorrectWallClock(TimeSpan by)
    {
        lock (_state)
        {
            _epoch += by;
        }
    }

    /// <summary>Waits until the code under test has so many timers running, which is when it waits for time to pass.</summary>
    public async Task WaitForTimersAsync(int count = 1, TimeSpan? timeout = null)
    {
        using var limit = new CancellationTokenSource(timeout ?? TimeSpan.FromSeconds(10));
        while (PendingTimers < count)
        {
            if (limit.IsCancellationRequested)
            {
                throw new TimeoutException($"{PendingTimers} timers are running, not {count}.");
            }

            await Task.Delay(2);
        }
    }

    private TimeSpan Elapsed()
    {
        lock (_state)
        {
            return _elapsed;
        }
    }

    private FakeTimer? TakeDue(TimeSpan target)
    {
        lock (_state)
        {
            // Timers due at the same instant fire in the order they were set.
            var first = _timers.MinBy(timer => timer.Due);
            if (first is null || first.Due > target)
            {
                return null;
            }

            _elapsed = first.Due > _elapsed ? first.Due : _elapsed;
            _timers.Remove(first);
            if (first.Period > TimeSpan.Zero)
            {
                first.Due += first.Period;
                _timers.Add(first);
            }

            return first;
        }
    }

    private void Set(FakeTimer timer, TimeSpan dueTime, TimeSpan period)
    {
        lock (_state)
        {
            _timers.Remove(timer);
            if (dueTime > TimeSpan.Zero || (dueTime == TimeSpan.Zero && period > TimeSpan.Zero))
            {
                (timer.Due, timer.Period) = (_elapsed + (dueTime == TimeSpan.Zero ? period : dueTime), period);
                _timers.Add(timer);
            }
        }

        if (dueTime == TimeSpan.Zero)
        {
            timer.Fire();
        }
    }

    private void Remove(FakeTimer timer)
    {
        lock (_state)
        {
            _timers.Remove(timer);
            timer.Disposed = true;
        }
    }

    private sealed class FakeTimer(FakeClock clock, TimerCallback callback, object? state) : ITimer
    {
        public TimeSpan Due { get; set; }

        public TimeSpan Period { get; set; }

        public bool Disposed { get; set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (Disposed)
            {
                return false;
            }

            clock.Set(this, dueTime, period);
            return true;
        }

        public void Fire() => callback(state);

        public void Dispose() => clock.Remove(this);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
