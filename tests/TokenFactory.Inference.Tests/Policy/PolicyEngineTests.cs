using System.Collections.Frozen;
using FsCheck;
using FsCheck.Fluent;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.Policy;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Policies;
using Xunit;

namespace TokenFactory.Inference.Tests.Policy;

/// <summary>P6: rules restrict, add up, and cannot be evaded by what a caller declares or keeps to itself.</summary>
public sealed class PolicyEngineTests
{
    private static readonly string[] _tiers = ["tier-1", "tier-2", "tier-3"];

    [Fact]
    public void P6_A_rule_about_silence_holds_for_a_request_that_says_nothing()
    {
        var bundle = Bundle(Denies("no-class", "classification_required", (PolicyAttribute.Classification, ["restricted", RuleCondition.Undeclared])));

        Assert.Equal(["classification_required"], PolicyEngine.Judge(bundle, Asks()).Reasons);
        Assert.True(PolicyEngine.Judge(bundle, Asks(new Governance { Classification = "restricted" })).IsDenied);
        Assert.False(PolicyEngine.Judge(bundle, Asks(new Governance { Classification = "public" })).IsDenied);
    }

    [Fact]
    public void P6_Declaring_another_tier_neither_evades_a_denial_nor_earns_a_permission()
    {
        var denies = Bundle(Denies("strict", "tier", (PolicyAttribute.Tier, ["tier-3"])));
        var allows = Bundle(new PolicyRule { Id = "open", When = When((PolicyAttribute.Tier, ["tier-1"])), Allow = true }) with { AllowsByDefault = false };

        Assert.True(PolicyEngine.Judge(denies, Asks(new Governance { Tier = "tier-1" }, keyTier: "tier-3")).IsDenied);
        Assert.True(PolicyEngine.Judge(denies, Asks(new Governance { Tier = "tier-3" }, keyTier: "tier-1")).IsDenied);
        Assert.Equal([PolicyEngine.NotAllowed], PolicyEngine.Judge(allows, Asks(new Governance { Tier = "tier-1" }, keyTier: "tier-3")).Reasons);
        Assert.False(PolicyEngine.Judge(allows, Asks(new Governance { Tier = "tier-1" }, keyTier: "tier-1")).IsDenied);
    }

    [Fact]
    public void P6_A_tenant_without_a_tier_cannot_claim_one()
    {
        var allows = Bundle(new PolicyRule { Id = "gold", When = When((PolicyAttribute.Tier, ["gold"])), Allow = true }) with { AllowsByDefault = false };
        var denies = Bundle(Denies("none", "no_tier", (PolicyAttribute.Tier, [RuleCondition.Undeclared])));

        Assert.True(PolicyEngine.Judge(allows, Asks(new Governance { Tier = "gold" })).IsDenied);
        Assert.True(PolicyEngine.Judge(denies, Asks(new Governance { Tier = "gold" })).IsDenied);
    }

    [Theory]
    [InlineData("eu", null, true)]
    [InlineData("eu-west-1", null, true)]
    [InlineData(null, "eu", true)]
    [InlineData("us", "eu", true)]
    [InlineData("europe", null, false)]
    [InlineData(null, null, false)]
    public void P6_A_rule_about_a_region_holds_below_it_and_for_the_tenants_own(string? declared, string? residency, bool holds)
    {
        var bundle = Bundle(Denies("eu", "eu", (PolicyAttribute.Region, ["eu"])));

        Assert.Equal(holds, PolicyEngine.Judge(bundle, new PolicyQuestion("acme", "search", null, residency, "m", "m", new Governance { Region = declared })).IsDenied);
    }

    [Fact]
    public void P6_A_rule_about_a_pattern_holds_for_every_model_it_serves()
    {
        var bundle = Bundle(Denies("gpt", "gpt", (PolicyAttribute.Model, ["gpt-*"])));

        Assert.True(PolicyEngine.Judge(bundle, new PolicyQuestion("acme", "search", null, null, "gpt-4o-x", "gpt-*", Governance.Undeclared)).IsDenied);
    }

    [Fact]
    public void P6_Whatever_the_rules_declaring_a_tier_never_turns_a_denial_into_a_permission()
    {
        var rule = from deny in Gen.Elements(true, false)
                   from tiers in Gen.SubListOf(_tiers)
                   select deny ? Denies("r", "code", (PolicyAttribute.Tier, [.. tiers, "x"])) : new PolicyRule { Id = "r", When = When((PolicyAttribute.Tier, [.. tiers, "x"])), Allow = true };
        var bundles = from rules in rule.ListOf()
                      from byDefault in Gen.Elements(true, false)
                      select Bundle([.. rules]) with { AllowsByDefault = byDefault };
        var property = Prop.ForAll(bundles.ToArbitrary(), Gen.Elements(_tiers).ToArbitrary(), Gen.Elements(_tiers).ToArbitrary(), (bundle, key, declared) =>
            !PolicyEngine.Judge(bundle, Asks(keyTier: key)).IsDenied || PolicyEngine.Judge(bundle, Asks(new Governance { Tier = declared }, key)).IsDenied);

        property.QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Governance_fallback_denies_with_codes_while_declared_controls_are_missing()
    {
        var bundle = Bundle(new PolicyRule { Id = "pilot", When = When(), Allow = true, Controls = ["logging", "redaction"] }) with { AllowsByDefault = false };

        var denied = PolicyEngine.Judge(bundle, Asks(new Governance { Controls = ["logging"] }));
        var allowed = PolicyEngine.Judge(bundle, Asks(new Governance { Controls = ["redaction", "logging"] }));

        Assert.Equal([PolicyEngine.ControlsMissing, "control:redaction"], denied.Reasons);
        Assert.Equal(["pilot"], denied.DeniedBy);
        Assert.False(allowed.IsDenied);
    }

    [Fact]
    public void Restrictions_of_all_matching_rules_add_up_in_the_bundles_order()
    {
        var bundle = Bundle(
            new PolicyRule { Id = "a", When = When(), Restrict = new Restriction { Rule = "a", Regions = ["eu"] } },
            new PolicyRule { Id = "b", When = When((PolicyAttribute.Tenant, ["acme"])), Restrict = new Restriction { Rule = "b", Contract = ["dpa"] } },
            new PolicyRule { Id = "c", When = When((PolicyAttribute.Tenant, ["other"])), Restrict = new Restriction { Rule = "c", Providers = ["nobody"] } });

        var verdict = PolicyEngine.Judge(bundle, Asks());

        Assert.Equal(["a", "b"], verdict.Rules);
        Assert.Equal(["a", "b"], verdict.Restrictions.Select(restriction => restriction.Rule));
    }

    [Theory]
    [InlineData("llama-8b", "asked", null)]
    [InlineData("llama-70b", "asked", "model_not_allowed")]
    [InlineData(null, "llama-8b", null)]
    [InlineData(null, "asked", "model_not_allowed")]
    public void P6_A_restriction_to_models_is_about_what_the_backend_runs(string? upstream, string asked, string? reason)
    {
        var deployment = new Deployment { Name = "d", Provider = new Provider("gpu", ProviderKind.OpenAi, null, null), Endpoints = [], UpstreamModel = upstream };

        Assert.Equal(reason, new Restriction { Rule = "r", Models = ["llama-8b"] }.ReasonAgainst(deployment, asked));
    }

    [Theory]
    [InlineData(ProviderKind.OpenAi, "degraded")]
    [InlineData(ProviderKind.Loopback, "degraded")]
    [InlineData(ProviderKind.Manual, null)]
    public void P6_A_rule_that_degrades_leaves_what_an_operator_wrote(ProviderKind kind, string? reason)
    {
        var deployment = new Deployment { Name = "d", Provider = new Provider("p", kind, null, null), Endpoints = [] };

        Assert.Equal(reason, new Restriction { Rule = "r", OnlyManual = true, Regions = ["eu"] }.ReasonAgainst(deployment, "m"));
    }

    [Fact]
    public void A_declared_word_outside_the_vocabulary_is_told_and_the_keys_own_tier_is_not()
    {
        var bundle = Bundle() with { Vocabulary = new Dictionary<PolicyAttribute, FrozenSet<string>> { [PolicyAttribute.Tier] = ["tier-1"], [PolicyAttribute.Control] = ["logging"] }.ToFrozenDictionary() };

        Assert.Equal(PolicyAttribute.Tier, PolicyEngine.UnknownWord(bundle, Asks(new Governance { Tier = "tier-9" })));
        Assert.Equal(PolicyAttribute.Control, PolicyEngine.UnknownWord(bundle, Asks(new Governance { Controls = ["logging", "magic"] })));
        Assert.Null(PolicyEngine.UnknownWord(bundle, Asks(keyTier: "standard")));
    }

    private static PolicyBundle Bundle(params PolicyRule[] rules) => new() { Version = "test", Rules = rules };

    private static PolicyRule Denies(string id, string code, params (PolicyAttribute Attribute, string[] Words)[] when) => new() { Id = id, When = When(when), Deny = [code] };

    private static RuleCondition When(params (PolicyAttribute Attribute, string[] Words)[] when) =>
        new() { AnyOf = when.ToFrozenDictionary(one => one.Attribute, one => one.Words.ToFrozenSet(StringComparer.Ordinal)) };

    private static PolicyQuestion Asks(Governance? governance = null, string? keyTier = null) => new("acme", "search", keyTier, null, "m", "m", governance ?? Governance.Undeclared);
}
