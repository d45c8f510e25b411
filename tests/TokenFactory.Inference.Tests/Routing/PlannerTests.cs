using FsCheck;
using FsCheck.Fluent;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.Policy;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Routes;
using TokenFactory.Inference.Routing;
using TokenFactory.Storage.Ledger;
using TokenFactory.TestKit.Clock;
using Xunit;

namespace TokenFactory.Inference.Tests.Routing;

public sealed class PlannerTests
{
    private static readonly Tenant _anywhere = new("t");

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

    [Fact]
    public void AllowedProviders_empty_is_all_and_deniedProviders_wins()
    {
        RouteTarget[] targets = [At("gpu"), At("vendor")];

        Assert.Equal(["gpu", "vendor"], Names(Plan(targets, new RoutingPolicy())).Order(StringComparer.Ordinal));
        Assert.Equal(["gpu"], Names(Plan(targets, new RoutingPolicy { AllowedProviders = ["gpu"] })));
        var plan = Plan(targets, new RoutingPolicy { AllowedProviders = ["gpu", "vendor"], DeniedProviders = ["gpu"] });
        Assert.Equal(["vendor"], Names(plan));
        Assert.Equal(new Exclusion("gpu", "provider_denied"), Assert.Single(plan.Exclusions));
    }

    [Fact]
    public void PreferredProvider_is_tried_first_and_the_others_after_it()
    {
        RouteTarget[] targets = [At("gpu"), At("vendor") with { Priority = 9 }];

        Assert.Equal(["vendor", "gpu"], Names(Plan(targets, new RoutingPolicy { PreferredProvider = "vendor" })));
    }

    [Fact]
    public void DefaultStrategy_pinned_uses_the_preferred_provider_and_nothing_else()
    {
        var plan = Plan([At("gpu"), At("vendor")], new RoutingPolicy { PreferredProvider = "vendor", Strategy = RoutingStrategy.Pinned });

        Assert.Equal(["vendor"], Names(plan));
        Assert.Equal(new Exclusion("gpu", "provider_not_pinned"), Assert.Single(plan.Exclusions));
    }

    [Fact]
    public void DefaultStrategy_cheapest_goes_by_what_this_request_costs()
    {
        // One is cheap to read and dear to write, the other the reverse.
        RouteTarget[] targets = [At("reads", PerToken(1, 1000)), At("writes", PerToken(500, 1))];
        var cheapest = new RoutingPolicy { Strategy = RoutingStrategy.Cheapest };

        Assert.Equal(["reads", "writes"], Names(Plan(targets, cheapest, Ask(maxTokens: 1))));
        Assert.Equal(["writes", "reads"], Names(Plan(targets, cheapest, Ask(maxTokens: 1000))));
    }

    [Fact]
    public void DefaultStrategy_quality_goes_by_rank_and_the_unranked_come_last()
    {
        RouteTarget[] targets = [At("unranked"), Ranked("good", 40), Ranked("best", 90)];

        Assert.Equal(["best", "good", "unranked"], Names(Plan(targets, new RoutingPolicy { Strategy = RoutingStrategy.Quality })));
    }

    [Fact]
    public void Least_loaded_is_who_has_the_fewest_requests_open_by_weight()
    {
        var observed = new Observations(new FakeClock());
        RouteTarget[] targets = [At("one"), At("two"), At("strong") with { Weight = 4 }];
        observed.Of("one").Begin();
        for (var request = 0; request < 3; request++)
        {
            observed.Of("strong").Begin();
        }

        Assert.Equal(["two", "strong", "one"], Names(Observing(observed, targets, RoutingStrategy.LeastLoaded)));
        observed.Of("one").End(null, isStream: false);
        Assert.Equal("strong", Names(Observing(observed, targets, RoutingStrategy.LeastLoaded)).Last());
    }

    [Fact]
    public void Fastest_is_who_began_to_answer_soonest_and_the_unknown_are_tried()
    {
        var clock = new FakeClock();
        var observed = new Observations(clock);
        RouteTarget[] targets = [At("slow"), At("fast"), At("unknown")];
        Answer("slow", 900);
        Answer("fast", 100);

        Assert.Equal(["unknown", "fast", "slow"], Names(Observing(observed, targets, RoutingStrategy.Fastest)));
        clock.Advance(TimeSpan.FromSeconds(59));
        Answer("fast", 100);
        clock.Advance(TimeSpan.FromSeconds(2));

        // Nobody knows any more how slow it is.
        Assert.Equal("fast", Names(Observing(observed, targets, RoutingStrategy.Fastest)).Last());

        void Answer(string deployment, int milliseconds)
        {
            observed.Of(deployment).Begin();
            observed.Of(deployment).End(TimeSpan.FromMilliseconds(milliseconds), isStream: false);
        }
    }

    [Fact]
    public void MaxCostPerRequestUsd_leaves_out_whatever_could_cost_more()
    {
        RouteTarget[] targets = [At("dear", PerToken(0, 1001)), At("fits", PerToken(0, 1000))];

        var plan = Plan(targets, new RoutingPolicy { MaxNanoUsdPerRequest = 100_000 }, Ask(maxTokens: 100));

        Assert.Equal(["fits"], Names(plan));
        Assert.Equal(new Exclusion("dear", "request_cost"), Assert.Single(plan.Exclusions));
    }

    [Fact]
    public void MaxCostPerRequestUsd_leaves_out_what_nothing_bounds()
    {
        var bounded = At("bounded", PerToken(0, 10));
        RouteTarget[] targets = [At("unbounded", PerToken(0, 10)), bounded with { Deployment = bounded.Deployment with { MaxOutput = 100 } }, At("free")];

        Assert.Equal(["bounded", "free"], Names(Plan(targets, new RoutingPolicy { MaxNanoUsdPerRequest = 1000 })).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void P5_A_cost_that_64_bits_cannot_hold_is_the_most_they_can() =>
        Assert.Equal(long.MaxValue, new Price("p", long.MaxValue, 0, 0, long.MaxValue).CostNanoUsd(new TokenUsage(1_000_000_000, 0, 0, 128_000_000_000, 0)));

    [Theory]
    [InlineData(null)]
    [InlineData(RoutingStrategy.Cheapest)]
    [InlineData(RoutingStrategy.Quality)]
    public void Manual_mode_is_the_last_resort_however_cheap_it_is(RoutingStrategy? strategy)
    {
        var dear = At("dear", PerToken(100, 100));
        var manual = At("by-hand", Price.Free);
        manual = manual with { Deployment = manual.Deployment with { Provider = new Provider("desk", ProviderKind.Manual, null, null), Quality = 1000 }, Priority = -1 };

        Assert.Equal(["dear", "by-hand"], Plan([manual, dear], new RoutingPolicy { Strategy = strategy }).Candidates.Select(one => one.Name));
    }

    [Fact]
    public void MaxCostPerRequestUsd_does_not_take_a_long_input_for_a_short_answer()
    {
        // The input's bytes nearly fill the context; its tokens leave most of it to the answer, at 100 each.
        var target = At("narrow", PerToken(0, 100));
        target = target with { Deployment = target.Deployment with { MaxContext = 30 } };

        Assert.Empty(Plan([target], new RoutingPolicy { MaxNanoUsdPerRequest = 2000 }).Candidates);
    }

    [Fact]
    public void MaxCostPerRequestUsd_counts_an_input_that_is_written_to_a_cache()
    {
        var target = At("cached", new Price("p", 0, 0, 1_000_000_000, 0));

        Assert.Empty(Plan([target], new RoutingPolicy { MaxNanoUsdPerRequest = 1000 }).Candidates);
    }

    [Fact]
    public void A_tenants_strategy_goes_before_the_models_own()
    {
        ModelRoute route = new(ModelPattern.Parse("m"), [Ranked("good", 40), At("free")], LimitSet.None) { Strategy = RoutingStrategy.Quality };

        Assert.Equal(["good", "free"], Names(Plan(route, new RoutingPolicy(), Ask())));
        Assert.Equal(["free", "good"], Names(Plan(route, new RoutingPolicy { Strategy = RoutingStrategy.Cheapest }, Ask())));
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

        Assert.Equal(expected, new Registry([], routes).ModelsOf(_anywhere).Find(asked)!.Pattern.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("a*b")]
    [InlineData("**")]
    public void A_pattern_with_an_asterisk_elsewhere_is_no_pattern(string text) => Assert.Throws<FormatException>(() => ModelPattern.Parse(text));

    [Fact]
    public void A_conversation_goes_on_where_it_is_kept_and_nowhere_else()
    {
        var ask = Ask() with { Conversation = new Conversation("kept", "resp_1", 10) };

        var plan = Plan([Target("first", 0, 1), Target("kept", 1, 1)], RoutingPolicy.None, ask);

        Assert.Equal(["kept"], Names(plan));
        Assert.Equal(("first", "conversation"), (Assert.Single(plan.Exclusions).Deployment, plan.Exclusions[0].Reason));
    }

    [Theory]
    [InlineData(Operations.Responses, "talks,chats")]
    [InlineData(Operations.Moderations, "judges")]
    [InlineData(Operations.Chat, "chats")]
    public void A_deployment_is_asked_for_what_it_serves_and_a_response_of_whoever_chats(Operations operation, string expected)
    {
        RouteTarget[] targets = [Of("talks", Operations.Responses), Of("judges", Operations.Moderations), Of("chats", Operations.Usual), Of("embeds", Operations.Embeddings)];

        var plan = Plan(targets, RoutingPolicy.None, Ask() with { Operation = operation });

        Assert.Equal(expected.Split(',').Order(), Names(plan).Order());

        static RouteTarget Of(string name, Operations operations) => Target(name, 0, 1) with { Deployment = Deployment(name) with { Operations = operations } };
    }

    private static IEnumerable<string> Names(Plan plan) => plan.Candidates.Select(d => d.Name);

    private static Plan Plan(RouteTarget[] targets, RoutingPolicy policy, Ask? ask = null) =>
        Plan(new ModelRoute(ModelPattern.Parse("m"), targets, LimitSet.None), policy, ask ?? Ask());

    private static Plan Plan(ModelRoute route, RoutingPolicy policy, Ask ask) =>
        new Planner(new Random(1)).Plan(route, ask, Allow(_anywhere with { Routing = policy }));

    private static Plan Observing(Observations observed, RouteTarget[] targets, RoutingStrategy strategy) =>
        new Planner(new Random(1), observed).Plan(new ModelRoute(ModelPattern.Parse("m"), targets, LimitSet.None) { Strategy = strategy }, Ask(), Allow(_anywhere));

    private static Plan Plan(RouteTarget[] targets) =>
        new Planner(new Random(1)).Plan(new ModelRoute(ModelPattern.Parse("m"), targets, LimitSet.None), Ask(), Allow(_anywhere));

    private static Decision Allow(Tenant tenant) => new("d", tenant.Region is { } region ? [region] : [], tenant, "none", Verdict.Nothing);

    private static RouteTarget Target(string name, int priority, int weight) => new(Deployment(name), priority, weight);

    /// <summary>A deployment at the provider of its name.</summary>
    private static RouteTarget At(string provider, Price? price = null) =>
        new(Deployment(provider) with { Provider = new Provider(provider, ProviderKind.OpenAi, null, null), Price = price ?? Price.Free }, 0, 1);

    /// <summary>In nano-USD.</summary>
    private static Price PerToken(long input, long output) => new("p", input * 1_000_000, input * 1_000_000, input * 1_000_000, output * 1_000_000);

    private static RouteTarget Ranked(string name, int quality)
    {
        var target = At(name, PerToken(1, 1));
        return target with { Deployment = target.Deployment with { Quality = quality } };
    }

    private static Deployment Deployment(string name) =>
        new() { Name = name, Provider = new Provider("p", ProviderKind.OpenAi, null, null), Endpoints = [] };

    private static Ask Ask(int? maxTokens = null)
    {
        var bound = maxTokens is null ? "" : $",\"max_tokens\":{maxTokens}";
        ReadOnlySpan<byte> bytes = System.Text.Encoding.UTF8.GetBytes("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hello there\"}]" + bound + "}");
        var body = new PooledBody(new BodyBudget(long.MaxValue), bytes.Length);
        bytes.CopyTo(body.Free().Span);
        body.Advance(bytes.Length);
        return AskReader.Read(body, Operations.Chat, 64).Ask!;
    }
}
