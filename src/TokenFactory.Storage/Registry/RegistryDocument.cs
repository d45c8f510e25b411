namespace TokenFactory.Storage.Registry;

/// <summary>One provider, deployment, model or tier that was registered, as it stands now.</summary>
public sealed class RegistryDocument
{
    public required RegistryKind Kind { get; init; }

    /// <summary>Unique among its kind; of a model its name or pattern.</summary>
    public required string Name { get; init; }

    public required RegistryOrigin Origin { get; init; }

    /// <summary>JSON of the shape that the configuration's section has. Holds references to secrets, or sealed ones, never a secret itself.</summary>
    public required string Body { get; set; }

    /// <summary>The revision of its last change.</summary>
    public required long Revision { get; set; }

    public required DateTimeOffset ChangedAt { get; set; }
}
