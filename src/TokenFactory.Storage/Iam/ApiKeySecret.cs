namespace TokenFactory.Storage.Iam;

/// <summary>A key's secret as it is kept: HMAC-SHA-256 of the whole key under a versioned pepper, never the key itself.</summary>
public sealed class ApiKeySecret
{
    public required Guid Id { get; init; }

    public required string KeyId { get; init; }

    public required string PepperVersion { get; init; }

    /// <summary>32 bytes.</summary>
    public required byte[] Digest { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the secret stops working; set on the older one at rotation.</summary>
    public DateTimeOffset? ExpiresAt { get; set; }
}
