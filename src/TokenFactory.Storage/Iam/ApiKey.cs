namespace TokenFactory.Storage.Iam;

/// <summary>A key of the embedded IAM. It has one or two live <see cref="ApiKeySecret"/>s, so that it can be rotated without a gap.</summary>
public sealed class ApiKey
{
    /// <summary>The public id, eight base62 characters: shown in lists, events and logs.</summary>
    public required string Id { get; init; }

    public required string Tenant { get; init; }

    public required string Project { get; init; }

    public required string Name { get; init; }

    public string? User { get; init; }

    /// <summary>Space-separated scopes.</summary>
    public required string Scopes { get; set; }

    /// <summary>Space-separated model allow-list (names and patterns); null allows what the project allows.</summary>
    public string? Models { get; set; }

    public int? RequestsPerMinute { get; set; }

    public int? TokensPerMinute { get; set; }

    public int? Concurrent { get; set; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? ExpiresAt { get; set; }

    public DateTimeOffset? RevokedAt { get; set; }

    public List<ApiKeySecret> Secrets { get; init; } = [];
}
