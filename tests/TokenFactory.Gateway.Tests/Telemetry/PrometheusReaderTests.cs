using System.Diagnostics.Metrics;
using System.IO.Pipelines;
using System.Text;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using TokenFactory.Gateway.Telemetry;
using Xunit;

namespace TokenFactory.Gateway.Tests.Telemetry;

public sealed class PrometheusReaderTests : IDisposable
{
    private static int _meters;

    private readonly Meter _meter = new($"test-{Interlocked.Increment(ref _meters)}");
    private readonly PrometheusReader _reader = new();
    private readonly MeterProvider _provider;

    public PrometheusReaderTests() =>
        _provider = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(ResourceBuilder.CreateEmpty().AddAttributes([new("service.name", "gateway")]))
            .AddMeter(_meter.Name)
            .AddView(instrument => instrument.Name == "narrow" ? new MetricStreamConfiguration { CardinalityLimit = 3 } : null)
            .AddReader(_reader.Reader)
            .Build();

    public void Dispose()
    {
        _provider.Dispose();
        _reader.Dispose();
        _meter.Dispose();
    }

    [Fact]
    public async Task A_page_is_sorted_suffixed_escaped_and_cumulative()
    {
        var waits = _meter.CreateHistogram("wait.duration", "s", "How long\nit took", null, new InstrumentAdvice<double> { HistogramBucketBoundaries = [.00005, .5, 1] });
        waits.Record(.00004, new KeyValuePair<string, object?>("op", "chat"));
        waits.Record(.25, new KeyValuePair<string, object?>("op", "chat"));
        waits.Record(7, new KeyValuePair<string, object?>("op", "chat"));
        var requests = _meter.CreateCounter<long>("tokenfactory.requests", "{request}", "Requests");
        requests.Add(2, new("z.last", "b"), new("a-first", "say \"hi\" \\ \n"));
        requests.Add(1, new("z.last", "a"), new("a-first", true));
        _meter.CreateUpDownCounter<int>("streams.open", "{stream}").Add(-3);
        _meter.CreateObservableGauge("body.reserved_bytes", () => 4096L, "By");
        _meter.CreateObservableGauge("load", () => 0.5, "1");

        Assert.Equal(
            """
            # HELP target_info Target metadata
            # TYPE target_info gauge
            target_info{service_name="gateway"} 1
            # HELP body_reserved_bytes 
            # TYPE body_reserved_bytes gauge
            body_reserved_bytes 4096
            # HELP load_ratio 
            # TYPE load_ratio gauge
            load_ratio 0.5
            # HELP streams_open 
            # TYPE streams_open gauge
            streams_open -3
            # HELP tokenfactory_requests_total Requests
            # TYPE tokenfactory_requests_total counter
            tokenfactory_requests_total{a_first="say \"hi\" \\ \n",z_last="b"} 2
            tokenfactory_requests_total{a_first="true",z_last="a"} 1
            # HELP wait_duration_seconds How long\nit took
            # TYPE wait_duration_seconds histogram
            wait_duration_seconds_bucket{op="chat",le="5E-05"} 1
            wait_duration_seconds_bucket{op="chat",le="0.5"} 2
            wait_duration_seconds_bucket{op="chat",le="1"} 2
            wait_duration_seconds_bucket{op="chat",le="+Inf"} 3
            wait_duration_seconds_sum{op="chat"} 7.25004
            wait_duration_seconds_count{op="chat"} 3

            """,
            await ScrapeAsync());
    }

    [Fact]
    public async Task What_was_written_is_what_a_scraper_reads()
    {
        _meter.CreateCounter<long>("c").Add(5, new KeyValuePair<string, object?>("k", "back\\slash \"quote\"\nline, {brace} = ü"));

        var page = PrometheusPage.Parse(await ScrapeAsync());

        Assert.Equal(5, page.Value("c_total", ("k", "back\\slash \"quote\"\nline, {brace} = ü")));
        Assert.Equal("counter", page.Types["c_total"]);
    }

    [Fact]
    public async Task Two_scrapes_of_the_same_state_are_the_same_bytes_and_counters_never_fall_back()
    {
        var counter = _meter.CreateCounter<long>("c");
        foreach (var model in new[] { "m3", "m1", "m2" })
        {
            counter.Add(1, new KeyValuePair<string, object?>("model", model));
        }

        Assert.Equal(await ScrapeAsync(), await ScrapeAsync());
    }

    [Fact]
    public async Task Two_tags_that_become_one_name_are_joined_and_two_instruments_that_become_one_family_stay_one()
    {
        _meter.CreateCounter<long>("twice.told").Add(1, new("a.b", "1"), new("a_b", "2"));
        _meter.CreateCounter<long>("twice_told").Add(1, new KeyValuePair<string, object?>("c", "3"));

        var page = PrometheusPage.Parse(await ScrapeAsync());

        Assert.Equal(1, page.Value("twice_told_total", ("a_b", "1;2")));
        Assert.Equal(1, page.Value("twice_told_total", ("c", "3")));
    }

    [Fact]
    public async Task Series_past_the_limit_share_one_that_says_overflow()
    {
        var counter = _meter.CreateCounter<long>("narrow");
        for (var i = 0; i < 100; i++)
        {
            counter.Add(1, new KeyValuePair<string, object?>("k", i));
        }

        var page = PrometheusPage.Parse(await ScrapeAsync());

        Assert.InRange(page.Samples.Count(s => s.Name == "narrow_total"), 1, 5);
        Assert.Equal(100, page.Samples.Where(s => s.Name == "narrow_total").Sum(s => s.Value));
        Assert.True(page.Value("narrow_total", ("otel_metric_overflow", "true")) > 90);
    }

    [Theory]
    [InlineData("http.server.request.duration", "s", MetricType.Histogram, "http_server_request_duration_seconds")]
    [InlineData("dotnet.process.cpu.time", "s", MetricType.DoubleSum, "dotnet_process_cpu_time_seconds_total")]
    [InlineData("body.reserved_bytes", "By", MetricType.LongGauge, "body_reserved_bytes")]
    [InlineData("jobs.total", "{job}", MetricType.LongSum, "jobs_total")]
    [InlineData("rate", "By/s", MetricType.DoubleGauge, "rate_bytes_per_second")]
    [InlineData("9--lives", null, MetricType.LongGauge, "_9_lives")]
    public void Names_follow_the_OpenTelemetry_mapping(string name, string? unit, MetricType type, string expected) =>
        Assert.Equal(expected, PrometheusName.Of(name, unit, type));

    private async Task<string> ScrapeAsync()
    {
        using var body = new MemoryStream();
        var pipe = PipeWriter.Create(body, new StreamPipeWriterOptions(leaveOpen: true));
        await _reader.WriteAsync(pipe, TestContext.Current.CancellationToken);
        await pipe.CompleteAsync();
        return Encoding.UTF8.GetString(body.ToArray());
    }
}
