using System.Diagnostics.Metrics;
using OpenTelemetry.Metrics;

namespace TokenFactory.Gateway.Telemetry;

/// <summary>Which meters are read, and how many series each instrument may have (P10).</summary>
internal sealed class MeterViews(TelemetryOptions options, IMeterFactory meters)
{
    private readonly MetricStreamConfiguration _own = new() { CardinalityLimit = options.SeriesLimit };
    private readonly MetricStreamConfiguration _framework = new() { CardinalityLimit = options.FrameworkSeriesLimit };

    public static string[] Meters { get; } =
    [
        Inference.Telemetry.Name,
        "Microsoft.AspNetCore.Hosting",
        "Microsoft.AspNetCore.Server.Kestrel",
        "System.Runtime",
    ];

    public MetricStreamConfiguration ViewOf(Instrument instrument)
    {
        // Meters are found by name in the whole process: another host's instruments (in tests) are not ours to report.
        if (instrument.Meter.Scope is { } scope && scope != meters)
        {
            return MetricStreamConfiguration.Drop;
        }

        return instrument.Meter.Name == Inference.Telemetry.Name ? _own : _framework;
    }
}
