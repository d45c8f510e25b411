using FsCheck;
using FsCheck.Fluent;
using TokenFactory.Inference.Limits;
using Xunit;

namespace TokenFactory.Inference.Tests.Limits;

public sealed class LearntOutputsTests
{
    private readonly LearntOutputs _learnt = new();

    [Fact]
    public void P5_a_deployment_that_has_hardly_answered_is_held_for_as_an_unknown_one()
    {
        Learn(31, 10);

        Assert.Equal(LearntOutputs.UnknownTokens, _learnt.Expect("d"));
        Assert.Equal(LearntOutputs.UnknownTokens, _learnt.Expect("another"));
    }

    [Fact]
    public void Nineteen_of_twenty_answers_fit_what_is_held_whatever_their_lengths()
    {
        var lengths = Gen.Choose(0, 100_000).Select(length => (long)length).ArrayOf(320).Where(all => all.Length == 320);
        var property = Prop.ForAll(lengths.ToArbitrary(), all =>
        {
            var learnt = new LearntOutputs();
            Array.ForEach(all, length => learnt.Learn("d", length));
            var held = learnt.Expect("d");
            var p95 = all.Order().ElementAt((int)Math.Ceiling(all.Length * 0.95) - 1);
            return held >= p95 * 1.25 && held <= Math.Ceiling(((p95 * 1.25) + 1) * 1.25);
        });

        Check.One(Config.QuickThrowOnFailure.WithMaxTest(200), property);
    }

    [Fact]
    public void Answers_that_have_become_longer_are_soon_held_for()
    {
        Learn(100_000, 10);
        Assert.InRange(_learnt.Expect("d"), 10, 20);

        Learn(4096, 5000);

        Assert.InRange(_learnt.Expect("d"), 6250, 7900);
    }

    private void Learn(int answers, long tokens)
    {
        for (var i = 0; i < answers; i++)
        {
            _learnt.Learn("d", tokens);
        }
    }
}
