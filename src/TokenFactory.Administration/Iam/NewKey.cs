namespace TokenFactory.Administration.Iam;

/// <summary>What is asked for when a key is made.</summary>
public sealed record NewKey
{
    public required string Tenant { get; init; }

    public required string Project { get; init; }

    public required string Name { get; init; }

    public string? User { get; init; }

    /// <summary>Empty gives the default scopes: what an application does, nothing an administrator does.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>Names and patterns; null allows what the project allows.</summary>
    public IReadOnlyList<string>? Models { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public int? RequestsPerMinute { get; init; }

    public int? TokensPerMinute { get; init; }

    public int? Concurrent { get; init; }
}
