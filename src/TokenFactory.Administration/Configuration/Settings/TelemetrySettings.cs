using Microsoft.Extensions.Logging;

namespace TokenFactory.Administration.Configuration.Settings;

public enum LogFormat
{
    Text = 0,

    /// <summary>One JSON object per line.</summary>
    Json = 1,
}

/// <param name="OtlpEndpoint">Where traces and metrics are pushed; null pushes nothing.</param>
public sealed record TelemetrySettings(Uri? OtlpEndpoint, LogFormat LogFormat, LogLevel LogLevel);
