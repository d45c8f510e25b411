namespace TokenFactory.Storage.Registry;

/// <summary>Who answers for a document; stored by number. What one wrote the other never changes.</summary>
public enum RegistryOrigin
{
    /// <summary>An operator, with the command line.</summary>
    Operator = 0,

    /// <summary>The control plane that the configuration's <c>registry.url</c> names.</summary>
    ControlPlane = 1,
}
