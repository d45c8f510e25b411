namespace TokenFactory.Storage.Iam;

/// <summary>A row of the embedded IAM. Names are the ids: stable, unique, in events and metrics.</summary>
public sealed class Tenant
{
    public required string Name { get; init; }

    public string? Tier { get; set; }

    public string? Region { get; set; }

    /// <summary>It only stands for a tenant of the configuration file, which keys refer to, and counts for nothing once the file drops it.</summary>
    public bool FromFile { get; set; }

    public DateTimeOffset CreatedAt { get; init; }
}
