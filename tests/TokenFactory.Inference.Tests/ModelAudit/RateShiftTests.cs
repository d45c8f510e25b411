using TokenFactory.Inference.ModelAudit.Changes;
using Xunit;

namespace TokenFactory.Inference.Tests.ModelAudit;

public sealed class RateShiftTests
{
    private static readonly RateRule _rule = new(2, 0.03);

    [Theory]
    [InlineData(0)]
    [InlineData(0.001)]
    [InlineData(0.02)]
    [InlineData(0.3)]
    public void Shares_that_do_not_change_are_not_flagged(double share)
    {
        var flagged = Enumerable.Range(1, 50).Count(seed =>
        {
            var (simulated, shift) = (new Series(seed), new RateShift(_rule));
            return Enumerable.Range(0, 10_000).Any(_ => shift.Add(simulated.Chance(share), simulated.Tick()) == Verdict.Raised);
        });

        Assert.Equal(0, flagged);
    }

    [Theory]
    [InlineData(0, 0.1, 250)]
    [InlineData(0.01, 0.15, 250)]
    [InlineData(0.05, 0.3, 250)]
    public void A_share_that_rises_is_found_within_the_samples_the_documentation_says(double usual, double later, int within)
    {
        List<double> late = [];
        for (var seed = 1; seed <= 30; seed++)
        {
            var (simulated, shift) = (new Series(seed), new RateShift(_rule));
            for (var index = 0; index < 2000; index++)
            {
                shift.Add(simulated.Chance(usual), simulated.Tick());
            }

            var began = simulated.Now;
            for (var needed = 1; shift.Add(simulated.Chance(later), simulated.Tick()) != Verdict.Raised; needed++)
            {
                Assert.True(needed < within, $"not found after {needed} samples (seed {seed})");
            }

            late.Add((shift.Raised!.Value.Since - began).TotalSeconds);
        }

        Assert.True(late.Count(seconds => Math.Abs(seconds) <= 60) >= 25, string.Join(' ', late));
    }

    [Fact]
    public void It_is_over_when_the_share_is_what_it_was()
    {
        var (simulated, shift) = (new Series(2), new RateShift(_rule));
        List<Verdict> said = [];
        for (var index = 0; index < 3000; index++)
        {
            said.Add(shift.Add(simulated.Chance(index is >= 1000 and < 1400 ? 0.5 : 0.01), simulated.Tick()));
        }

        Assert.Equal([Verdict.Raised, Verdict.Ended], said.Where(verdict => verdict != Verdict.Nothing));
        Assert.Null(shift.Raised);
    }

    [Theory]
    [InlineData(5, 10, 0, 10, 0.0162544)]
    [InlineData(3, 4, 1, 4, 0.2428571)]
    [InlineData(0, 200, 7, 1000, 1)]
    public void The_chance_is_Fishers_exact_one_sided(int hits, int recent, int hitsBefore, int before, double expected) =>
        Assert.Equal(expected, RateShift.ChanceOf(hits, recent, hitsBefore, before), 6);
}
