using System.Collections.Frozen;

namespace TokenFactory.Inference.ReadModel;

/// <summary>In which order the deployments that may serve a request are tried.</summary>
public enum RoutingStrategy
{
    /// <summary>Priority, and a draw by weight within one.</summary>
    Weighted = 0,

    /// <summary>What this request would cost at each, by its own input and the output it may have.</summary>
    Cheapest = 1,

    /// <summary>The best <see cref="Deployment.Quality"/>; one without a rank comes last.</summary>
    Quality = 2,

    /// <summary>Only the preferred provider, whatever else could serve.</summary>
    Pinned = 3,

    /// <summary>The fewest requests open from this process, by weight.</summary>
    LeastLoaded = 4,

    /// <summary>Who begins to answer soonest, as observed of late; who was not observed is tried.</summary>
    Fastest = 5,
}

/// <summary>What a tenant's requests may be routed to and what they prefer (the requirements' TenantRoutingPolicy).</summary>
public sealed record RoutingPolicy
{
    private static readonly FrozenSet<string> _nobody = FrozenSet<string>.Empty;

    public static RoutingPolicy None { get; } = new();

    /// <summary>The only providers it may use; empty is any.</summary>
    public FrozenSet<string> AllowedProviders { get; init; } = _nobody;

    /// <summary>Providers it may never use; wins over <see cref="AllowedProviders"/>.</summary>
    public FrozenSet<string> DeniedProviders { get; init; } = _nobody;

    /// <summary>Tried first where it can serve; with <see cref="RoutingStrategy.Pinned"/> the only one.</summary>
    public string? PreferredProvider { get; init; }

    /// <summary>A deployment at which a request could cost more than this does not get it. Nano-USD.</summary>
    public long? MaxNanoUsdPerRequest { get; init; }

    /// <summary>Null takes the model's own.</summary>
    public RoutingStrategy? Strategy { get; init; }
}
