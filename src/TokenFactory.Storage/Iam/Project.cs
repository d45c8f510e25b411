namespace TokenFactory.Storage.Iam;

/// <summary>A tenant's project; its name is unique within the tenant.</summary>
public sealed class Project
{
    public required string Tenant { get; init; }

    public required string Name { get; init; }

    public string? Department { get; set; }

    public DateTimeOffset CreatedAt { get; init; }
}
