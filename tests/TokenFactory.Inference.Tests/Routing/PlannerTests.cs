using System.Collections.Frozen;
using FsCheck;
using FsCheck.Fluent;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.Policy;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.Routing;
using Xunit;

namespace TokenFactory.Inference.Tests.Routing;

public sealed class PlannerTests
{
    private static readonly Tenant _anywhere = new("t", null, null, null, FrozenSet<string>.Empty, LimitSet.None);

    [Fact]
    public void Lower_priorities_come_first_whatever_their_weight()
    {
        var plan = Plan([Target("b", 1, 1000), Target("a", 0, 1), Target("c", 2, 1)]);

        Assert.Equal(["a", "b", "c"], plan.Candidates.Select(d => d.Name));
    }

    [Fact]
    public void Within_a_priority_the_first_place_is_drawn_by_weight()
    {
        var planner = new Planner(new Random(7));
        var route = new ModelRoute(ModelPattern.Parse("m"), [Target("heavy", 0, 3), Target("light", 0, 1)], LimitSet.None);

        var heavy = Enumerable.Range(0, 4000).Count(_ => planner.Plan(route, Ask(), Allow(_anywhere)).Candidates[0].Name == "heavy");

        Assert.InRange(heavy, 2850, 3150);
    }

    [Fact]
    public void What_cannot_serve_is_left_out_with_the_reason()
    {
        var plan = Plan([
            Target("embeds", 0, 1) with { Deployment = Deployment("embeds") with { Operations = Operations.Embeddings } },
            Target("small", 0, 1) with { Deployment = Deployment("small") with { MaxContext = 1 } },
            Target("fits", 0, 1)]);

        Assert.Equal("fits", Assert.Single(plan.Candidates).Name);
        Assert.Equal("embeds: operation, small: context", string.Join(", ", plan.Exclusions.Select(e => $"{e.Deployment}: {e.Reason}")));
    }

    [Fact]
    public void P6_no_plan_ever_leaves_the_region()
    {
        string?[] regions = ["eu", "eu-west-1", "eu-central", "us", "us-east-1", "europe", null];
        var targets = Gen.Elements(regions).ListOf().Select(list => list.Select((region, i) => (Region: region, Name: $"d{i}")).ToArray());
        var property = Prop.ForAll(targets.ToArbitrary(), Gen.Elements("eu", "us", "eu-west-1").ToArbitrary(), (drawn, zone) =>
        {
            var route = new ModelRoute(
                ModelPattern.Parse("m"), [.. drawn.Select(d => new RouteTarget(Deployment(d.Name) with { Region = d.Region }, 0, 1))], LimitSet.None);
            var plan = new Planner(new Random(1)).Plan(route, Ask(), Allow(_anywhere with { Region = zone }));
            return plan.Candidates.All(d => d.Region == zone || (d.Region?.StartsWith(zone + "-", StringComparison.Ordinal) ?? false))
                && plan.Candidates.Count + plan.Exclusions.Count == drawn.Length;
        });

        property.QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("gpt-4o", "gpt-4o")]
    [InlineData("gpt-4o-turbo", "gpt-4o*")]
    [InlineData("my-turbo", "*-turbo")]
    [InlineData("x-claude-y", "*claude*")]
    [InlineData("anything", "*")]
    public void The_most_specific_pattern_wins_exact_first(string asked, string expected)
    {
        ModelRoute[] routes = [.. new[] { "*", "*claude*", "*-turbo", "gpt-4o*", "gpt-4o" }.Select(p => new ModelRoute(ModelPattern.Parse(p), [], LimitSet.None))];

        Assert.Equal(expected, new Registry([], routes).Find(asked)!.Pattern.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("a*b")]
    [InlineData("**")]
    public void A_pattern_with_an_asterisk_elsewhere_is_no_pattern(string text) => Assert.Throws<FormatException>(() => ModelPattern.Parse(text));

    private static Plan Plan(RouteTarget[] targets) =>
        new Planner(new Random(1)).Plan(new ModelRoute(ModelPattern.Parse("m"), targets, LimitSet.None), Ask(), Allow(_anywhere));

    private static Decision Allow(Tenant tenant) => new("d", tenant.Region is { } region ? [region] : [], tenant);

    private static RouteTarget Target(string name, int priority, int weight) => new(Deployment(name), priority, weight);

    private static Deployment Deployment(string name) =>
        new() { Name = name, Provider = new Provider("p", ProviderKind.OpenAi, null, null), Endpoints = [] };

    private static Ask Ask()
    {
        var bytes = """{"model":"m","messages":[{"role":"user","content":"hello there"}]}"""u8;
        var body = new PooledBody(new BodyBudget(long.MaxValue), bytes.Length);
        bytes.CopyTo(body.Free().Span);
        body.Advance(bytes.Length);
        return AskReader.Read(body, Operations.Chat, 64).Ask!;
    }
}
