using System.Collections.Frozen;
using TokenFactory.Inference.Access;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.Policy;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Policies;
using TokenFactory.Inference.ReadModel.Routes;
using Xunit;

namespace TokenFactory.Inference.Tests.Policy;

/// <summary>A shadow bundle tells what it would have changed: what it would refuse, let through, leave out and no longer leave out.</summary>
public sealed class ShadowRulesTests
{
    private static readonly Deployment _eu = At("eu", "eu-west-1");
    private static readonly Deployment _us = At("us", "us-east-1");
    private static readonly ModelRoute _route = new(ModelPattern.Parse("m"), [new RouteTarget(_eu, 0, 1), new RouteTarget(_us, 0, 1)], LimitSet.None);

    private static readonly PolicyBundle _open = Bundle();
    private static readonly PolicyBundle _euOnly = Bundle(new PolicyRule { Id = "eu-only", When = Always(), Restrict = new Restriction { Rule = "eu-only", Regions = ["eu"] } });
    private static readonly PolicyBundle _usOnly = Bundle(new PolicyRule { Id = "us-only", When = Always(), Restrict = new Restriction { Rule = "us-only", Regions = ["us"] } });
    private static readonly PolicyBundle _nowhere = Bundle(new PolicyRule { Id = "mars", When = Always(), Restrict = new Restriction { Rule = "mars", Regions = ["mars"] } });
    private static readonly PolicyBundle _closed = Bundle(new PolicyRule { Id = "no", When = Always(), Deny = ["closed"] });
    private static readonly PolicyBundle _worded = Bundle() with { Vocabulary = new Dictionary<PolicyAttribute, FrozenSet<string>> { [PolicyAttribute.Tier] = ["gold"] }.ToFrozenDictionary() };

    [Fact]
    public void Shadow_of_a_bundle_that_changes_nothing_agrees()
    {
        Assert.Same(ShadowVerdict.Agreed, Shadow(inForce: _open, shadow: _open));
        Assert.Same(ShadowVerdict.Agreed, Shadow(inForce: _euOnly, shadow: _euOnly));
        Assert.Same(ShadowVerdict.Agreed, Shadow(inForce: _closed, shadow: _nowhere));
        Assert.Same(ShadowVerdict.Agreed, Shadow(inForce: _worded, shadow: _closed, tier: "silver"));
    }

    [Fact]
    public void Shadow_denials_tell_their_reason_codes()
    {
        Assert.Equal("would_deny closed  ", Told(Shadow(inForce: _open, shadow: _closed)));
        Assert.Equal("would_deny residency eu:residency:mars,us:residency:mars ", Told(Shadow(inForce: _open, shadow: _nowhere)));
        Assert.Equal("would_deny unknown_tier  ", Told(Shadow(inForce: _open, shadow: _worded, tier: "silver")));
    }

    [Fact]
    public void Shadow_exclusions_tell_what_would_be_left_out_in_addition_and_what_no_longer()
    {
        Assert.Equal("would_restrict  us:residency:eu-only ", Told(Shadow(inForce: _open, shadow: _euOnly)));
        Assert.Equal("would_restrict  eu:residency:us-only us", Told(Shadow(inForce: _euOnly, shadow: _usOnly)));
        Assert.Equal("would_widen   us", Told(Shadow(inForce: _euOnly, shadow: _open)));
    }

    [Fact]
    public void Shadow_permissions_tell_that_they_would_let_through_what_was_refused()
    {
        Assert.Equal("would_allow   ", Told(Shadow(inForce: _closed, shadow: _open)));
        Assert.Equal("would_allow   eu,us", Told(Shadow(inForce: _nowhere, shadow: _open)));
        Assert.Equal("would_allow   ", Told(Shadow(inForce: _worded, shadow: _open, tier: "silver")));
    }

    private static ShadowVerdict Shadow(PolicyBundle inForce, PolicyBundle shadow, string? tier = null)
    {
        var key = new ApiKey
        {
            Id = "k",
            Name = "k",
            Tenant = new Tenant("acme"),
            Project = new Project("search", null, ModelAllowList.All, LimitSet.None),
            Scopes = [],
            Models = ModelAllowList.All,
            Limits = LimitSet.None,
        };
        var ask = Ask.Imagined(Operations.Chat, "m", 10, null, new Governance { Tier = tier });
        var (decision, refusal) = PolicyRules.Judge(inForce, new Caller(key), ask, _route, Guid.Empty);
        return ShadowRules.Compare(shadow, new Caller(key), ask, _route, decision, refusal);
    }

    private static string Told(ShadowVerdict verdict) =>
        $"{verdict.Word} {string.Join(',', verdict.Reasons)} {string.Join(',', verdict.Excluded.Select(one => $"{one.Deployment}:{one.Reason}:{one.Rule}"))} {string.Join(',', verdict.Admitted)}";

    private static Deployment At(string name, string region) => new() { Name = name, Provider = new Provider(name, ProviderKind.OpenAi, region, null), Endpoints = [] };

    private static PolicyBundle Bundle(params PolicyRule[] rules) => new() { Version = "test", Rules = rules };

    private static RuleCondition Always() => new() { AnyOf = FrozenDictionary<PolicyAttribute, FrozenSet<string>>.Empty };
}
