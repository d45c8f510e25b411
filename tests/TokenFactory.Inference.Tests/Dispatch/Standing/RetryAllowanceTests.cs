using TokenFactory.Inference.Dispatch.Standing;
using TokenFactory.Inference.ReadModel;
using TokenFactory.TestKit.Clock;
using Xunit;

namespace TokenFactory.Inference.Tests.Dispatch.Standing;

/// <summary>The failure of one deployment does not fall on the next at once.</summary>
public sealed class RetryAllowanceTests
{
    private readonly FakeClock _clock = new();

    [Fact]
    public void Requests_that_failed_elsewhere_are_a_share_and_a_few_a_second()
    {
        var allowance = new RetryAllowance(new RetryBudget { Share = 0.2, PerSecond = 2 }, _clock);

        Assert.Equal(20, Retries(allowance));
        _clock.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(6, Retries(allowance));
        for (var request = 0; request < 101; request++)
        {
            allowance.First();
        }

        Assert.Equal(20, Retries(allowance));
    }

    [Fact]
    public void What_is_saved_up_has_a_bound()
    {
        var allowance = new RetryAllowance(new RetryBudget { Share = 0.2, PerSecond = 2 }, _clock);
        for (var request = 0; request < 1_000_000; request++)
        {
            allowance.First();
        }

        _clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(220, Retries(allowance));
    }

    private static int Retries(RetryAllowance allowance)
    {
        var taken = 0;
        while (taken < 10_000 && allowance.TryRetry())
        {
            taken++;
        }

        return taken;
    }
}
