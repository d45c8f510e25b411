using TokenFactory.Administration.Registration;
using TokenFactory.Storage.Registry;

namespace TokenFactory.Administration.Configuration;

/// <summary>Where this process's configuration comes from: read once at the start, and again whenever a file of it changes.</summary>
/// <param name="File">Null reads the environment's overrides over the defaults.</param>
/// <param name="Environment">As the process was started with; it does not change.</param>
/// <param name="Overlay">What the command line adds to every reading; null adds nothing.</param>
public sealed record ConfigurationSource(
    string? File, IReadOnlyDictionary<string, string> Environment, Func<GatewayConfiguration, GatewayConfiguration>? Overlay = null)
{
    /// <summary>What is registered in the store, as far as this process has read it.</summary>
    public RegisteredDocuments Registry { get; } = new();

    public ConfigurationReading Read() => ReadWith(Registry.Content);

    /// <summary>As it would be read with another registry.</summary>
    public ConfigurationReading ReadWith(RegistryContent registry)
    {
        var reading = ConfigurationReader.ReadFile(File, Environment, registry);
        if (Overlay is null || reading.Configuration is not { } configuration)
        {
            return reading;
        }

        try
        {
            return reading with { Configuration = Overlay(configuration) };
        }
        catch (ArgumentException e)
        {
            // The command line and the file contradict each other.
            return reading with { Configuration = null, Mistakes = [new ConfigurationMistake(File ?? "(command line)", 0, 0, "", e.Message)] };
        }
    }
}
