namespace TokenFactory.Storage.Registry;

/// <summary>What one revision made of one document. Never changed: prices, regions and endpoints of the past can be looked up.</summary>
public sealed class RegistryChange
{
    public required long Revision { get; init; }

    public required RegistryKind Kind { get; init; }

    public required string Name { get; init; }

    public required RegistryOrigin Origin { get; init; }

    /// <summary>Null: it was removed.</summary>
    public required string? Body { get; init; }
}
