using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using TokenFactory.Gateway.Logging;
using TokenFactory.Gateway.Telemetry;
using Xunit;

namespace TokenFactory.Gateway.Tests.Telemetry;

/// <summary>Activity listeners are process-wide: these tests run one after the other, and alone.</summary>
[CollectionDefinition(nameof(GatewayTelemetryTests), DisableParallelization = true)]
public sealed class ProcessWideListeners;

[Collection(nameof(GatewayTelemetryTests))]
public sealed class GatewayTelemetryTests
{
    private const string Parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    [Fact]
    public async Task Without_a_collector_no_activity_is_ever_created()
    {
        await using var app = await StartAsync(new TelemetryOptions());

        Assert.False(Inference.Telemetry.Source.HasListeners());
        Assert.Equal("no activity", await AskAsync(app, "/activity", Parent));
    }

    [Fact]
    public async Task With_a_collector_the_callers_trace_is_continued()
    {
        await using var app = await StartAsync(new TelemetryOptions { OtlpEndpoint = Unreachable, FlushTimeout = TimeSpan.FromMilliseconds(50) });

        Assert.True(Inference.Telemetry.Source.HasListeners());
        Assert.Equal("0af7651916cd43dd8448eb211c80319c", await AskAsync(app, "/activity", Parent));
    }

    [Fact]
    public async Task A_trace_is_never_forwarded_to_who_is_called()
    {
        await using var app = await StartAsync(new TelemetryOptions { OtlpEndpoint = Unreachable, FlushTimeout = TimeSpan.FromMilliseconds(50) });

        Assert.Equal("no traceparent", await AskAsync(app, "/call", Parent));
    }

    [Fact]
    public async Task The_metrics_page_reads_back_and_counts_requests_by_route_but_no_scrape()
    {
        await using var app = await StartAsync(new TelemetryOptions());
        await AskAsync(app, "/activity");
        await AskAsync(app, "/metrics");

        var page = PrometheusPage.Parse(await AskAsync(app, "/metrics"));

        Assert.Equal(1, page.Value("http_server_request_duration_seconds_count", ("http_route", "/activity")));
        Assert.DoesNotContain(page.Samples, s => s.Labels.ContainsValue("/metrics"));
        Assert.Equal(0, page.Value("tokenfactory_logs_dropped_total"));
        Assert.Contains("dotnet_gc_collections_total", page.Types.Keys);
    }

    [Fact]
    public async Task Another_hosts_instruments_are_not_on_this_hosts_page()
    {
        await using var app = await StartAsync(new TelemetryOptions());
        await using var other = await StartAsync(new TelemetryOptions());
        await AskAsync(other, "/activity");

        Assert.DoesNotContain("/activity", await AskAsync(app, "/metrics"), StringComparison.Ordinal);
    }

    /// <summary>The discard port: nobody listens there.</summary>
    private static Uri Unreachable => new("http://127.0.0.1:9");

    private static async Task<WebApplication> StartAsync(TelemetryOptions options)
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.AddGatewayLogging(new LogOptions(), Stream.Null);
        builder.Services.AddGatewayTelemetry(options);
        var app = builder.Build();
        app.MapMetrics();
        app.MapGet("/activity", () => Activity.Current?.TraceId.ToHexString() ?? "no activity");
        app.MapGet("/headers", (HttpRequest request) => request.Headers.TraceParent.FirstOrDefault() ?? "no traceparent");
        app.MapGet("/call", () => AskAsync(app, "/headers"));
        await app.StartAsync();
        return app;
    }

    private static async Task<string> AskAsync(WebApplication app, string path, string? parent = null)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, app.Urls.Single() + path);
        if (parent is not null)
        {
            request.Headers.Add("traceparent", parent);
        }

        using var response = await client.SendAsync(request);
        return await response.Content.ReadAsStringAsync();
    }
}
