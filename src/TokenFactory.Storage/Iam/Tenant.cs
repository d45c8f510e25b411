namespace TokenFactory.Storage.Iam;

/// <summary>A row of the embedded IAM. Names are the ids: stable, unique, in events and metrics.</summary>
public sealed class Tenant
{
    public required string Name { get; init; }

    public string? Tier { get; set; }

    public string? Region { get; set; }

    public DateTimeOffset CreatedAt { get; init; }
}
