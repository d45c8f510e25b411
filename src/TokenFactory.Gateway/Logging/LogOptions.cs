namespace TokenFactory.Gateway.Logging;

internal enum LogFormat
{
    /// <summary>One compact JSON object per line, for machines.</summary>
    Json = 0,

    /// <summary>One readable line per event, for a terminal.</summary>
    Text = 1,
}

internal sealed record LogOptions
{
    public const string Section = "Logging";

    public LogFormat Format { get; init; } = LogFormat.Json;

    /// <summary>Of the gateway's own categories; the framework's never go below Warning.</summary>
    public LogLevel Level { get; init; } = LogLevel.Information;

    /// <summary>For commands whose standard output is their answer.</summary>
    public bool ToStandardError { get; init; }

    /// <summary>Events waiting for the console, at most; further ones are dropped and counted.</summary>
    public int QueueLimit { get; init; } = 8192;
}
