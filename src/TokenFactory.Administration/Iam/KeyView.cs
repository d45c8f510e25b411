using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Administration.Iam;

public enum KeyState
{
    Active = 0,
    Expired = 1,
    Revoked = 2,
}

public enum KeyOrigin
{
    /// <summary>Made by the gateway; changed by its commands.</summary>
    Store = 0,

    /// <summary>Written in the configuration file; changed there.</summary>
    File = 1,
}

/// <summary>A key as lists show it: everything but its secrets.</summary>
public sealed record KeyView
{
    public required string Id { get; init; }

    public required string Tenant { get; init; }

    public required string Project { get; init; }

    public required string Name { get; init; }

    public string? User { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary>Null allows what the project allows, and is also what a key of the file shows.</summary>
    public IReadOnlyList<string>? Models { get; init; }

    public required LimitSet Limits { get; init; }

    public required KeyState State { get; init; }

    public required KeyOrigin Origin { get; init; }

    /// <summary>Secrets that work now; two during a rotation.</summary>
    public required int LiveSecrets { get; init; }

    public DateTimeOffset? CreatedAt { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }
}
