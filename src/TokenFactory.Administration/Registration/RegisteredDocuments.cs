using TokenFactory.Storage.Registry;

namespace TokenFactory.Administration.Registration;

/// <summary>What this process knows of the registry: read with the configuration's file, as though it stood there.</summary>
public sealed class RegisteredDocuments
{
    private volatile RegistryContent _content = RegistryContent.Empty;

    public RegistryContent Content => _content;

    public void Take(RegistryContent content) => _content = content;
}
