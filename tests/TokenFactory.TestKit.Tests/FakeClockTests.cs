using TokenFactory.TestKit.Clock;
using Xunit;

namespace TokenFactory.TestKit.Tests;

public sealed class FakeClockTests
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(10);
    private readonly FakeClock _clock = new();

    [Fact]
    public void Time_stands_until_it_is_advanced()
    {
        var (wall, stamp) = (_clock.GetUtcNow(), _clock.GetTimestamp());

        _clock.Advance(TimeSpan.FromMinutes(3));

        Assert.Equal(wall.AddMinutes(3), _clock.GetUtcNow());
        Assert.Equal(TimeSpan.FromMinutes(3), _clock.GetElapsedTime(stamp));
    }

    [Fact]
    public void Timers_fire_in_order_each_at_its_own_instant()
    {
        var fired = new List<(string, double)>();
        var start = _clock.GetTimestamp();
        using var late = _clock.CreateTimer(_ => Note("late"), null, TimeSpan.FromSeconds(3), Timeout.InfiniteTimeSpan);
        using var periodic = _clock.CreateTimer(_ => Note("each"), null, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2));

        _clock.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal([("each", 2), ("late", 3), ("each", 4)], fired);
        void Note(string name) => fired.Add((name, _clock.GetElapsedTime(start).TotalSeconds));
    }

    [Fact]
    public async Task Delays_periodic_timers_and_timed_cancellation_obey_it()
    {
        var delay = Task.Delay(TimeSpan.FromHours(1), _clock, CancellationToken.None);
        using var cancellation = new CancellationTokenSource(TimeSpan.FromHours(2), _clock);
        using var periodic = new PeriodicTimer(TimeSpan.FromHours(1), _clock);
        var tick = periodic.WaitForNextTickAsync(CancellationToken.None).AsTask();
        await _clock.WaitForTimersAsync(3);

        _clock.Advance(TimeSpan.FromMinutes(59));
        Assert.False(delay.IsCompleted || tick.IsCompleted);
        _clock.Advance(TimeSpan.FromMinutes(1));

        await delay.WaitAsync(_limit);
        Assert.True(await tick.WaitAsync(_limit));
        Assert.False(cancellation.IsCancellationRequested);
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.True(cancellation.IsCancellationRequested);
    }

    [Fact]
    public void A_changed_timer_fires_anew_and_a_disposed_one_never()
    {
        var fired = 0;
        var timer = _clock.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        _clock.Advance(TimeSpan.FromSeconds(5));

        Assert.True(timer.Change(TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan));
        _clock.Advance(TimeSpan.FromSeconds(1));
        timer.Change(TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        timer.Dispose();
        _clock.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(2, fired);
        Assert.False(timer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan));
        Assert.Equal(0, _clock.PendingTimers);
    }

    [Fact]
    public void A_corrected_wall_clock_moves_no_timer()
    {
        var (wall, stamp, fired) = (_clock.GetUtcNow(), _clock.GetTimestamp(), 0);
        using var timer = _clock.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(10), Timeout.InfiniteTimeSpan);

        _clock.CorrectWallClock(TimeSpan.FromHours(-1));

        Assert.Equal(wall.AddHours(-1), _clock.GetUtcNow());
        Assert.Equal((stamp, 0), (_clock.GetTimestamp(), fired));
    }
}
