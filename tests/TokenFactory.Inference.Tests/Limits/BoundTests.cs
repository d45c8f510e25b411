using TokenFactory.Inference.Limits.Redis;
using Xunit;

namespace TokenFactory.Inference.Tests.Limits;

/// <summary>P10: Redis keeps a request waiting for its bound at most, and a process that got no processor does not take that for Redis' fault.</summary>
public sealed class BoundTests
{
    private static readonly TimeSpan _bound = TimeSpan.FromMilliseconds(20);

    private readonly HandClock _clock = new();
    private readonly TaskCompletionSource<int> _answer = new();

    [Fact]
    public async Task P10_No_answer_within_the_bound_is_none()
    {
        var waiting = Wait();

        _clock.Pass(_bound);

        await Assert.ThrowsAsync<TimeoutException>(() => waiting);
    }

    [Fact]
    public async Task A_bound_that_ended_late_is_begun_again()
    {
        var waiting = Wait();

        _clock.Pass(_bound * 10);
        _answer.SetResult(7);

        Assert.Equal(7, await waiting);
    }

    [Fact]
    public async Task P10_A_process_that_always_stalls_does_not_wait_for_ever()
    {
        var waiting = Wait();

        for (var stall = 0; stall < 6; stall++)
        {
            Assert.False(waiting.IsCompleted);
            _clock.Pass(_bound * 4);
        }

        await Assert.ThrowsAsync<TimeoutException>(() => waiting);
    }

    [Fact]
    public async Task P10_A_stall_longer_than_all_patience_ends_the_wait()
    {
        var waiting = Wait();

        _clock.Pass(_bound * 26);

        await Assert.ThrowsAsync<TimeoutException>(() => waiting);
    }

    [Fact]
    public async Task The_clients_own_timeout_is_told_at_once()
    {
        _answer.SetException(new TimeoutException("the client's"));

        Assert.Equal("the client's", (await Assert.ThrowsAsync<TimeoutException>(Wait)).Message);
    }

    private Task<int> Wait() => Bound.WithinAsync(_answer.Task, _bound, _clock, CancellationToken.None);

    /// <summary>All timers fire when the time has passed, however early they were due: as in a process that stood still.</summary>
    private sealed class HandClock : TimeProvider
    {
        private readonly List<HandTimer> _timers = [];
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new HandTimer(this, callback, state);
            _timers.Add(timer);
            return timer;
        }

        public void Pass(TimeSpan time)
        {
            _now += time.Ticks;
            foreach (var timer in _timers.ToArray())
            {
                timer.Fire();
            }
        }

        private sealed class HandTimer(HandClock clock, TimerCallback callback, object? state) : ITimer
        {
            public void Fire() => callback(state);

            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose() => clock._timers.Remove(this);

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }
}
