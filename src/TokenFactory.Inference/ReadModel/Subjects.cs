using System.Collections.Frozen;
using TokenFactory.Inference.ReadModel.Routes;

namespace TokenFactory.Inference.ReadModel;

/// <summary>A service level: the limits of whoever has it, each holder counted apart.</summary>
public sealed record Tier(string Name, LimitSet Limits, long? MaxInputTokens, ModelAllowList Models)
{
    public static Tier None { get; } = new("none", LimitSet.None, null, ModelAllowList.All);
}

public sealed record Tenant(string Name)
{
    public Tier? Tier { get; init; }

    /// <summary>Residency: only deployments there. <c>eu</c> covers <c>eu-west-1</c>; null is anywhere.</summary>
    public string? Region { get; init; }

    public RoutingPolicy Routing { get; init; } = RoutingPolicy.None;

    public LimitSet Limits { get; init; } = LimitSet.None;
}

public sealed record Project(string Name, string? Department, ModelAllowList Models, LimitSet Limits);

public sealed record User(string Name, LimitSet Limits);

/// <summary>A key and everything above it, ready for a request: built once per snapshot, shared by all its requests.</summary>
public sealed record ApiKey
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required Tenant Tenant { get; init; }

    public required Project Project { get; init; }

    public User? User { get; init; }

    public required FrozenSet<string> Scopes { get; init; }

    public required ModelAllowList Models { get; init; }

    public required LimitSet Limits { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public bool IsRevoked { get; init; }
}

/// <summary>One live secret of a key.</summary>
public sealed record KeySecret(ApiKey Key, DateTimeOffset? ExpiresAt);
