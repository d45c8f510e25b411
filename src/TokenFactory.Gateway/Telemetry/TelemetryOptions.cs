using OpenTelemetry.Exporter;

namespace TokenFactory.Gateway.Telemetry;

/// <summary>Where telemetry goes. <c>/metrics</c> is always there; everything else needs <see cref="OtlpEndpoint"/>.</summary>
internal sealed record TelemetryOptions
{
    public const string Section = "Telemetry";

    /// <summary>The collector; null falls back to the standard <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>, and without that no
    /// trace is ever started.</summary>
    public Uri? OtlpEndpoint { get; init; }

    /// <summary>Null is the standard <c>OTEL_EXPORTER_OTLP_PROTOCOL</c>, or gRPC.</summary>
    public OtlpExportProtocol? OtlpProtocol { get; init; }

    /// <summary>The share of new traces recorded, 0 to 1. A caller's own sampling decision is followed either way.</summary>
    public double TraceRatio { get; init; } = 1;

    public TimeSpan MetricsInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>What is sent on the way out, at most; a collector that is down must not hold a rollout.</summary>
    public TimeSpan FlushTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Series one of the gateway's instruments may have; the rest share one series marked as overflow.</summary>
    public int SeriesLimit { get; init; } = 2000;

    /// <summary>The same for the framework's instruments. Each series has its memory set aside in advance.</summary>
    public int FrameworkSeriesLimit { get; init; } = 250;

    /// <summary><c>service.instance.id</c>; null is the host's name, which in Kubernetes is the pod's.</summary>
    public string? Instance { get; init; }

    internal Uri? EffectiveEndpoint => OtlpEndpoint ??
        (Uri.TryCreate(Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT"), UriKind.Absolute, out var standard) ? standard : null);
}
