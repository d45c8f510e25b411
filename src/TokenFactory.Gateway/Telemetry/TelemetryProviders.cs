using System.Diagnostics.Metrics;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using TokenFactory.Gateway.Logging;

namespace TokenFactory.Gateway.Telemetry;

/// <summary>
/// Builds the OpenTelemetry providers when the process starts and flushes them when it stops. Without a collector there is
/// no tracer provider: nobody listens to any activity source, so no activity is ever created and tracing costs nothing.
/// </summary>
internal sealed class TelemetryProviders(TelemetryOptions options, PrometheusReader prometheus, IMeterFactory meters, IServiceProvider services)
    : IHostedService, IDisposable
{
    private MeterProvider? _metrics;
    private TracerProvider? _traces;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        MeasureLogs();
        var resource = ResourceBuilder.CreateDefault().AddService(
            "token-factory-gateway", serviceVersion: ProductVersion.Current.Version, serviceInstanceId: options.Instance ?? Environment.MachineName);
        var collector = options.EffectiveEndpoint;

        _metrics = BuildMetrics(resource, collector);
        _traces = collector is null ? null : BuildTraces(resource, collector);
        return Task.CompletedTask;
    }

    /// <summary>Hosted services stop in reverse, so this runs after the server has drained and sees the last requests.</summary>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        var bound = (int)options.FlushTimeout.TotalMilliseconds;
        _traces?.Shutdown(bound);
        _metrics?.Shutdown(bound);
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        _traces?.Dispose();
        _metrics?.Dispose();
    }

    private MeterProvider BuildMetrics(ResourceBuilder resource, Uri? collector)
    {
        var builder = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter(MeterViews.Meters)
            .AddView(new MeterViews(options, meters).ViewOf)
            .AddReader(prometheus.Reader);
        if (collector is not null)
        {
            builder.AddOtlpExporter((exporter, reader) =>
            {
                Address(exporter, collector, "v1/metrics");
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = (int)options.MetricsInterval.TotalMilliseconds;
            });
        }

        return builder.Build();
    }

    private TracerProvider BuildTraces(ResourceBuilder resource, Uri collector) =>
        Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            .SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(options.TraceRatio)))
            .AddSource(Inference.Telemetry.Name, "Microsoft.AspNetCore", "Yarp.ReverseProxy")
            .AddOtlpExporter(exporter => Address(exporter, collector, "v1/traces"))
            .Build();

    /// <summary>Over HTTP each signal has a path of its own, which the exporter only appends to an address it read itself.</summary>
    private void Address(OtlpExporterOptions exporter, Uri collector, string signalPath)
    {
        exporter.Protocol = options.OtlpProtocol ?? exporter.Protocol;
        exporter.Endpoint = exporter.Protocol == OtlpExportProtocol.HttpProtobuf
            ? new Uri($"{collector.AbsoluteUri.TrimEnd('/')}/{signalPath}")
            : collector;
    }

    private void MeasureLogs()
    {
        if (services.GetService<BackgroundLogWriter>() is { } writer)
        {
            meters.Create(Inference.Telemetry.Name)
                .CreateObservableCounter("tokenfactory.logs.dropped", () => writer.Dropped, "{event}", "Log events dropped because the writer was behind");
        }
    }
}
