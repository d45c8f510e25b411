namespace TokenFactory.Administration.Configuration;

/// <summary>The configuration in force, and what was wrong with the last one that was not taken.</summary>
public sealed class ConfigurationState(GatewayConfiguration initial)
{
    private volatile Standing _standing = new(initial, []);

    public GatewayConfiguration Current => _standing.Configuration;

    public string Revision => Current.Revision;

    /// <summary>Of the file as it is now; empty when it is in force.</summary>
    public IReadOnlyList<ConfigurationMistake> Mistakes => _standing.Mistakes;

    /// <summary>Raised after a swap, on the watcher's thread.</summary>
    public event Action<GatewayConfiguration>? Changed;

    internal void Take(GatewayConfiguration configuration)
    {
        _standing = new Standing(configuration, []);
        Changed?.Invoke(configuration);
    }

    /// <summary>Keeps what is in force.</summary>
    internal void Refuse(IReadOnlyList<ConfigurationMistake> mistakes) => _standing = _standing with { Mistakes = mistakes };

    private sealed record Standing(GatewayConfiguration Configuration, IReadOnlyList<ConfigurationMistake> Mistakes);
}
