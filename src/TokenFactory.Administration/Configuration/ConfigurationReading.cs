namespace TokenFactory.Administration.Configuration;

/// <summary>What reading a configuration gave: the configuration, or every mistake that kept it from being one (P12).</summary>
public sealed record ConfigurationReading
{
    /// <summary>Null exactly when there are mistakes.</summary>
    public required GatewayConfiguration? Configuration { get; init; }

    /// <summary>Of registered documents that cannot be read and were left out, so that the file and the others are in force all the same.</summary>
    public IReadOnlyList<ConfigurationMistake> LeftOut { get; init; } = [];

    /// <summary>In the order of the file.</summary>
    public required IReadOnlyList<ConfigurationMistake> Mistakes { get; init; }

    /// <summary>The files it was read from, those of secrets included: when one changes, read again.</summary>
    public required IReadOnlyList<string> Files { get; init; }
}
