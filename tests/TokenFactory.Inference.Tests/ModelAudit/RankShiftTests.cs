using TokenFactory.Inference.ModelAudit.Changes;
using Xunit;

namespace TokenFactory.Inference.Tests.ModelAudit;

/// <summary>The figures' test, on simulated series: what docs/operations/model-audit.md says of false alarms and of how soon a change is found.</summary>
public sealed class RankShiftTests
{
    private const int Long = 10_000;

    private static readonly ShiftRule _later = new(Direction.Up, 1.3, 50);

    [Theory]
    [InlineData("lognormal", 100, 0)]
    [InlineData("pareto", 50, 0)]
    [InlineData("alike", 50, 1)]
    public void Series_that_do_not_change_are_flagged_no_more_often_than_the_documentation_says(string shape, int series, int atMost)
    {
        var flagged = Enumerable.Range(1, series).AsParallel().Count(seed =>
        {
            var (simulated, shift) = (new Series(seed), new RankShift(new ShiftRule(Direction.Either, 1.3, 0)));
            return Enumerable.Range(0, Long).Any(_ =>
            {
                var ofClass = simulated.Class();
                var value = shape switch { "pareto" => simulated.Pareto(ofClass), "alike" => simulated.Moody(ofClass, 0.5), _ => simulated.FirstToken(ofClass) };
                return shift.Add(ofClass, value, simulated.Tick()) == Verdict.Raised;
            });
        });

        Assert.True(flagged <= atMost, $"{flagged} of {series} series that did not change were flagged");
    }

    [Theory]
    [InlineData(1.5, 400)]
    [InlineData(2, 250)]
    [InlineData(4, 150)]
    public void A_shift_is_found_within_the_samples_the_documentation_says_and_dated_near_its_beginning(double times, int within)
    {
        List<(double Ratio, double Late)> found = [];
        for (var seed = 1; seed <= 21; seed++)
        {
            var (simulated, shift) = (new Series(seed), new RankShift(_later));
            for (var index = 0; index < 2000; index++)
            {
                Feed(simulated, shift, 1);
            }

            var began = simulated.Now;
            for (var needed = 1; Feed(simulated, shift, times) != Verdict.Raised; needed++)
            {
                Assert.True(needed < within, $"not found after {needed} samples (seed {seed})");
            }

            found.Add((shift.Raised!.Value.After / shift.Raised.Value.Before, (shift.Raised.Value.Since - began).TotalSeconds));
        }

        Assert.InRange(found.Select(one => one.Ratio).Order().ElementAt(10), times / 1.3, times * 1.3);
        Assert.True(found.Count(one => Math.Abs(one.Late) <= 60) >= 16, string.Join(' ', found.Select(one => one.Late)));
    }

    [Fact]
    public void Longer_prompts_are_no_degradation()
    {
        var (simulated, shift) = (new Series(7), new RankShift(_later));
        for (var index = 0; index < 4000; index++)
        {
            // All at once most prompts are of the longest class, which takes eight times as long.
            var ofClass = index < 2000 || simulated.Chance(0.2) ? simulated.Class() : 3;
            Assert.NotEqual(Verdict.Raised, shift.Add(ofClass, simulated.FirstToken(ofClass), simulated.Tick()));
        }
    }

    [Fact]
    public void Only_the_direction_that_is_asked_for_counts_and_only_a_change_that_somebody_feels()
    {
        var (simulated, later, small) = (new Series(3), new RankShift(_later), new RankShift(_later));
        for (var index = 0; index < 3000; index++)
        {
            var ofClass = simulated.Class();
            var value = simulated.FirstToken(ofClass);
            var at = simulated.Tick();
            Assert.NotEqual(Verdict.Raised, later.Add(ofClass, index < 2000 ? value : value / 3, at));

            // Three times as long, and still a few milliseconds.
            Assert.NotEqual(Verdict.Raised, small.Add(ofClass, (index < 2000 ? value : value * 3) / 100, at));
        }
    }

    [Fact]
    public void What_returns_to_what_it_was_is_over_and_what_lasts_a_day_is_usual()
    {
        var (simulated, shift) = (new Series(5), new RankShift(_later));
        Until(Verdict.Nothing, 1, 2000);
        Until(Verdict.Raised, 3, 200);
        Until(Verdict.Ended, 1, 400);
        Until(Verdict.Raised, 3, 600);
        Until(Verdict.Ended, 3, (int)ShiftWindows.Usual.TotalSeconds + 1);
        Until(Verdict.Nothing, 3, 3000);

        void Until(Verdict expected, double times, int within)
        {
            for (var index = 0; index < within; index++)
            {
                var verdict = Feed(simulated, shift, times);
                if (verdict != Verdict.Nothing)
                {
                    Assert.Equal(expected, verdict);
                    return;
                }
            }

            Assert.Equal(Verdict.Nothing, expected);
        }
    }

    private static Verdict Feed(Series simulated, RankShift shift, double times)
    {
        var ofClass = simulated.Class();
        return shift.Add(ofClass, times * simulated.FirstToken(ofClass), simulated.Tick());
    }
}
