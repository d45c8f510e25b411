using System.Collections.Frozen;

namespace TokenFactory.Inference.ReadModel.Policies;

/// <summary>When it matches, everything it says holds.</summary>
public sealed record PolicyRule
{
    /// <summary>Told wherever the rule mattered: in refusals and explanations.</summary>
    public required string Id { get; init; }

    public required RuleCondition When { get; init; }

    /// <summary>Reason codes; null when the rule does not deny.</summary>
    public IReadOnlyList<string>? Deny { get; init; }

    /// <summary>Lets a request through that the bundle denies by default.</summary>
    public bool Allow { get; init; }

    /// <summary>Controls the caller must have declared; without one of them the request is denied.</summary>
    public FrozenSet<string> Controls { get; init; } = FrozenSet<string>.Empty;

    /// <summary>What a deployment must be to see the data; null leaves it open.</summary>
    public Restriction? Restrict { get; init; }
}

/// <summary>All of it must hold; what is empty holds for every request.</summary>
public sealed record RuleCondition
{
    /// <summary>Stands for an attribute about which the request says nothing, so that a rule cannot be evaded by silence.</summary>
    public const string Undeclared = "undeclared";

    /// <summary>An attribute must have one of these words.</summary>
    public required FrozenDictionary<PolicyAttribute, FrozenSet<string>> AnyOf { get; init; }

    /// <summary>At least one of these controls is not declared.</summary>
    public FrozenSet<string> MissingControls { get; init; } = FrozenSet<string>.Empty;
}

/// <summary>What a deployment must be; empty members ask nothing.</summary>
public sealed record Restriction
{
    /// <summary>The rule it comes from.</summary>
    public required string Rule { get; init; }

    public FrozenSet<string> Providers { get; init; } = FrozenSet<string>.Empty;

    public FrozenSet<string> DeniedProviders { get; init; } = FrozenSet<string>.Empty;

    /// <summary>One of them must cover where it runs.</summary>
    public IReadOnlyList<string> Regions { get; init; } = [];

    public FrozenSet<string> Deployments { get; init; } = FrozenSet<string>.Empty;

    /// <summary>Facts of the provider's contract that must be true; what is not known is not true.</summary>
    public IReadOnlyList<string> Contract { get; init; } = [];

    /// <summary>The models it may run, as backends call them.</summary>
    public FrozenSet<string> Models { get; init; } = FrozenSet<string>.Empty;

    /// <summary>Only what an operator wrote by hand may answer: no model, not even the built-in one.</summary>
    public bool OnlyManual { get; init; }

    /// <summary>The reason code that excludes a deployment; null when it fits.</summary>
    /// <param name="askedModel">What a deployment runs that has no model of its own.</param>
    public string? ReasonAgainst(Deployment deployment, string askedModel)
    {
        var provider = deployment.Provider;
        if (OnlyManual && provider.Kind != ProviderKind.Manual)
        {
            return "degraded";
        }

        // What answers inside never leaves the process: no other restriction is about it.
        if (provider.IsInside)
        {
            return null;
        }

        if (DeniedProviders.Contains(provider.Name))
        {
            return "provider_denied";
        }

        if (Providers.Count > 0 && !Providers.Contains(provider.Name))
        {
            return "provider_not_allowed";
        }

        if (Deployments.Count > 0 && !Deployments.Contains(deployment.Name))
        {
            return "deployment_not_allowed";
        }

        if (Models.Count > 0 && !Models.Contains(deployment.UpstreamModel ?? askedModel))
        {
            return "model_not_allowed";
        }

        if (Regions.Count > 0 && !Regions.Any(region => Region.Covers(region, deployment.EffectiveRegion)))
        {
            return "residency";
        }

        return Contract.Any(fact => !provider.Contract.GetValueOrDefault(fact)) ? "contract" : null;
    }
}
