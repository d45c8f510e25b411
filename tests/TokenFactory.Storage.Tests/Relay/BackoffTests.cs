using TokenFactory.Storage.Relay;
using Xunit;

namespace TokenFactory.Storage.Tests.Relay;

public sealed class BackoffTests
{
    [Fact]
    public void The_ceiling_doubles_up_to_the_longest_and_starts_again_after_a_success()
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(60), new Certain());

        Assert.Equal([100, 200, 400, 800], Enumerable.Range(0, 4).Select(_ => backoff.Next().TotalMilliseconds));
        Assert.Equal(60_000, Enumerable.Range(0, 100).Select(_ => backoff.Next().TotalMilliseconds).ToArray()[^1]);
        backoff.Reset();
        Assert.Equal(100, backoff.Next().TotalMilliseconds);
    }

    [Fact]
    public void The_pause_is_spread_over_the_whole_range()
    {
        var pauses = Enumerable.Range(0, 200).Select(seed => new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), new Random(seed)).Next().TotalMilliseconds).ToArray();

        Assert.True(pauses.Min() < 100 && pauses.Max() > 900);
    }

    private sealed class Certain : Random
    {
        public override double NextDouble() => 1;
    }
}
