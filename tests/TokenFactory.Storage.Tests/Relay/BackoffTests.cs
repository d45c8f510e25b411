using TokenFactory.Storage.Relay;
using TokenFactory.TestKit.Clock;
using Xunit;

namespace TokenFactory.Storage.Tests.Relay;

public sealed class BackoffTests
{
    private static readonly TimeSpan _first = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _longest = TimeSpan.FromSeconds(60);
    private readonly FakeClock _clock = new();

    [Fact]
    public void The_ceiling_doubles_up_to_the_longest_and_starts_again_after_a_success()
    {
        var backoff = new Backoff(_first, _longest, _clock, new Certain());

        Assert.Equal([100, 100, 200, 400, 800], Enumerable.Range(0, 5).Select(_ => Pause(backoff)));
        Assert.Equal(60_000, Enumerable.Range(0, 100).Select(_ => Pause(backoff)).ToArray()[^1]);
        backoff.Reset();
        Assert.Equal(100, Pause(backoff));
    }

    [Fact]
    public void P2_many_short_pauses_do_not_make_a_sink_wait_longer_than_it_was_away()
    {
        var backoff = new Backoff(_first, _longest, _clock, new Certain());
        for (var attempt = 0; attempt < 30; attempt++)
        {
            backoff.Next();
            _clock.Advance(TimeSpan.FromMilliseconds(50));
        }

        Assert.Equal(1500, backoff.Next().TotalMilliseconds);
    }

    [Fact]
    public void The_pause_is_spread_over_the_whole_range()
    {
        var pauses = Enumerable.Range(0, 200).Select(seed => new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), _clock, new Random(seed)).Next().TotalMilliseconds).ToArray();

        Assert.True(pauses.Min() < 100 && pauses.Max() > 900);
    }

    private double Pause(Backoff backoff)
    {
        var pause = backoff.Next();
        _clock.Advance(pause);
        return pause.TotalMilliseconds;
    }

    private sealed class Certain : Random
    {
        public override double NextDouble() => 1;
    }
}
