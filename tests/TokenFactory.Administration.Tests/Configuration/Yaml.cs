using TokenFactory.Administration.Configuration;

namespace TokenFactory.Administration.Tests.Configuration;

/// <summary>Reads a document the way the process does, with only the variables a test names.</summary>
internal static class Yaml
{
    public const string OneBackend = """
        providers:
          - { name: gpu, kind: openai }
        deployments:
          - { name: llama, provider: gpu, endpoints: [http://10.0.0.5:8000/v1] }

        """;

    public static ConfigurationReading Read(string yaml, params (string Name, string Value)[] environment) =>
        ConfigurationReader.ReadText(yaml, "gateway.yaml", environment.ToDictionary(e => e.Name, e => e.Value, StringComparer.Ordinal));

    public static GatewayConfiguration Valid(string yaml, params (string Name, string Value)[] environment)
    {
        var reading = Read(yaml, environment);
        Assert.True(reading.Configuration is not null, string.Join('\n', reading.Mistakes));
        return reading.Configuration;
    }

    public static ConfigurationMistake OnlyMistake(string yaml, params (string Name, string Value)[] environment)
    {
        var reading = Read(yaml, environment);
        Assert.Null(reading.Configuration);
        return Assert.Single(reading.Mistakes);
    }
}
