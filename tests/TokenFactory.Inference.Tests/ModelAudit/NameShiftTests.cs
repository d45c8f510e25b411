using TokenFactory.Inference.ModelAudit.Changes;
using Xunit;

namespace TokenFactory.Inference.Tests.ModelAudit;

public sealed class NameShiftTests
{
    private readonly Series _series = new(1);
    private readonly NameShift _names = new();

    [Fact]
    public void A_name_that_was_never_seen_is_a_swap_once_it_is_seen_a_few_times_and_dated_at_the_first()
    {
        Say("old", NameShift.Established);
        var began = _series.Now.AddSeconds(1);

        Assert.All(Enumerable.Range(1, NameShift.Sightings - 1), _ => Assert.Equal(Verdict.Nothing, Say("new")));
        Assert.Equal(Verdict.Raised, Say("new"));
        Assert.Equal(new Change<string>("old", "new", began), _names.Raised);
        Assert.Equal(Verdict.Nothing, Say("new", 1000));
    }

    [Fact]
    public void Several_names_that_are_usual_are_no_swap()
    {
        for (var index = 0; index < 5000; index++)
        {
            Assert.Equal(Verdict.Nothing, Say(_series.Chance(0.5) ? "fp_a" : _series.Chance(0.5) ? "fp_b" : "fp_c"));
        }
    }

    [Fact]
    public void Before_enough_answers_nothing_is_usual_and_so_nothing_is_new()
    {
        Say("old", NameShift.Established - 10);

        Assert.Equal(Verdict.Nothing, Say("new", 10));
        Assert.Equal(Verdict.Nothing, Say("new", 1000));
    }

    [Fact]
    public void P10_A_backend_that_names_itself_anew_each_time_is_neither_flagged_nor_remembered()
    {
        Say("old", NameShift.Established);

        Assert.All(Enumerable.Range(0, 5000), number => Assert.Equal(Verdict.Nothing, Say("fp_" + number)));
        Say("new", NameShift.Sightings);
        Assert.Equal("new", _names.Raised?.After);
    }

    [Fact]
    public void Each_swap_is_one_and_a_day_later_it_is_over()
    {
        Say("one", NameShift.Established);
        Assert.Equal(Verdict.Raised, Say("two", NameShift.Sightings));
        Assert.Equal(Verdict.Raised, Say("three", NameShift.Sightings));
        Assert.Equal(("two", "three"), (_names.Raised!.Value.Before, _names.Raised.Value.After));

        Assert.Equal(Verdict.Ended, Say("three", (int)ShiftWindows.Usual.TotalSeconds));
        Assert.Null(_names.Raised);
    }

    /// <returns>What was said last that was not nothing.</returns>
    private Verdict Say(string name, int times = 1)
    {
        var said = Verdict.Nothing;
        for (var index = 0; index < times; index++)
        {
            said = _names.Add(name, _series.Tick()) is var verdict and not Verdict.Nothing ? verdict : said;
        }

        return said;
    }
}
