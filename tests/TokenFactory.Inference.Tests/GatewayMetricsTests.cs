using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Routes;
using TokenFactory.Storage.Ledger;
using Xunit;

namespace TokenFactory.Inference.Tests;

public sealed class GatewayMetricsTests : IDisposable
{
    private static readonly ModelCall _call = new("chat", "gpu-eu", "gpt-4o-mini", "llama-8b");

    private readonly ServiceProvider _services = new ServiceCollection().AddGatewayMetrics().BuildServiceProvider();
    private readonly MeterListener _listener = new();
    private readonly List<string> _seen = [];
    private readonly GatewayMetrics _metrics;

    public GatewayMetricsTests() => _metrics = _services.GetRequiredService<GatewayMetrics>();

    public void Dispose()
    {
        _listener.Dispose();
        _services.Dispose();
    }

    [Fact]
    public void Tokens_are_recorded_per_kind_with_the_conventions_attributes()
    {
        Listen();

        _metrics.TokensUsed(_call, new TokenUsage(InputUncached: 800, CacheRead: 200, CacheWrite: 0, Output: 64, Reasoning: 10));

        const string Common = "gen_ai.operation.name=chat gen_ai.provider.name=gpu-eu gen_ai.request.model=gpt-4o-mini gen_ai.response.model=llama-8b";
        Assert.Equal(
            [$"gen_ai.client.token.usage 1000 {Common} gen_ai.token.type=input", $"gen_ai.client.token.usage 64 {Common} gen_ai.token.type=output"],
            _seen);
    }

    [Fact]
    public void A_name_that_only_a_pattern_matched_is_labelled_other()
    {
        var deployment = new Deployment { Name = "d", Provider = new Provider("p", ProviderKind.OpenAi, null, null), Endpoints = [] };
        var pattern = new ModelRoute(ModelPattern.Parse("*-turbo"), [], LimitSet.None);

        Assert.Equal(new ModelCall("text_completion", "p", "other", "other"), ModelCall.Of(Operations.Completions, pattern, deployment));
    }

    [Fact]
    public void A_request_refused_before_admission_has_the_outcome_refused()
    {
        Listen();

        _metrics.RequestEnded("chat", null, 429, "rate_limit_exceeded");

        Assert.Equal(["tokenfactory.requests 1 operation=chat outcome=refused status_class=4xx error_code=rate_limit_exceeded"], _seen);
    }

    [Theory]
    [InlineData(102, 100, "1.02")]
    [InlineData(5, 0, "10")]
    public void Drift_is_our_count_over_the_backends_and_stays_finite(long counted, long reported, string ratio)
    {
        Listen();

        _metrics.Compared("llama-eu", counted, reported);

        Assert.Equal([$"tokenfactory.usage.drift {ratio} deployment=llama-eu"], _seen);
    }

    [Fact]
    public void Without_a_listener_recording_allocates_nothing()
    {
        Record();
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 100; i++)
        {
            Record();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Without_a_listener_no_span_is_started()
    {
        Assert.Null(Telemetry.StartModelCall(_call));
    }

    private void Record()
    {
        _metrics.RequestEnded("chat", Outcome.Completed, 200, null);
        _metrics.OverheadMeasured("chat", TimeSpan.FromMicroseconds(90));
        _metrics.Attempted("llama-eu", "ok");
        _metrics.CallEnded(_call, TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(40), null);
        _metrics.TokensUsed(_call, new TokenUsage(8, 0, 0, 4, 0));
        _metrics.Compared("llama-eu", 4, 4);
        _metrics.StreamOpened();
        _metrics.StreamClosed();
    }

    private void Listen()
    {
        var scope = _services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope == scope)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => See(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => See(instrument, value, tags));
        _listener.Start();
    }

    private void See(Instrument instrument, object value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        _seen.Add(FormattableString.Invariant($"{instrument.Name} {value} {string.Join(' ', tags.ToArray().Select(t => $"{t.Key}={t.Value}"))}"));
}
