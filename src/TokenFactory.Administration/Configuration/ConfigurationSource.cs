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

    /// <summary>
    /// What cannot be read of the registry is left out, with what refers to it: a file that is in order takes effect whatever others have
    /// registered, and a gateway starts. It can only become less that is served.
    /// </summary>
    public ConfigurationReading Read()
    {
        var content = Registry.Content;
        List<ConfigurationMistake> leftOut = [];
        for (var reading = ReadWith(content); ; reading = ReadWith(content))
        {
            var sources = reading.Mistakes.Select(mistake => mistake.Source).ToHashSet(StringComparer.Ordinal);
            var whole = content.Documents.Where(document => !sources.Contains(RegistrySections.SourceOf(document))).ToArray();
            if (reading.Configuration is not null || whole.Length == content.Documents.Count)
            {
                return reading with { LeftOut = leftOut };
            }

            var gone = content.Documents.Select(RegistrySections.SourceOf).ToHashSet(StringComparer.Ordinal);
            leftOut.AddRange(reading.Mistakes.Where(mistake => gone.Contains(mistake.Source)));
            content = content with { Documents = whole };
        }
    }

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
