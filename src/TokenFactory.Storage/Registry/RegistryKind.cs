namespace TokenFactory.Storage.Registry;

/// <summary>What a document of the registry describes; stored by number.</summary>
public enum RegistryKind
{
    Provider = 0,
    Deployment = 1,
    Model = 2,
    Tier = 3,
}
