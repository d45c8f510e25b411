namespace TokenFactory.Storage.Registry;

/// <summary>One change of the registry, of one or several documents. The highest number is the registry's own.</summary>
public sealed class RegistryRevision
{
    public required long Revision { get; init; }

    public required RegistryOrigin Origin { get; init; }

    public required DateTimeOffset ChangedAt { get; init; }

    /// <summary>The account of the operating system that ran the command, or the control plane's address.</summary>
    public required string ChangedBy { get; init; }

    /// <summary>The control plane's own version; null for an operator's change.</summary>
    public required long? FeedVersion { get; init; }
}
