using TokenFactory.Inference.Dispatch.Replicas;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.Routing;
using TokenFactory.TestKit.Clock;
using Xunit;
using Yarp.ReverseProxy.Model;

namespace TokenFactory.Inference.Tests.Dispatch.Replicas;

public sealed class EngineLoadsTests
{
    private static readonly Deployment _deployment = new()
    {
        Name = "llama",
        Provider = new Provider("gpu", ProviderKind.OpenAi, null, null),
        Endpoints = [new Uri("http://10.0.0.5/v1"), new Uri("http://10.0.0.6/v1")],
        Load = new EngineMetrics("metrics", TimeSpan.FromSeconds(1)),
    };

    private readonly FakeClock _clock = new();
    private readonly DestinationState[] _replicas = [new("http://10.0.0.5/v1"), new("http://10.0.0.6/v1")];
    private readonly Observations _observed;

    public EngineLoadsTests() => _observed = new Observations(_clock);

    [Fact]
    public void What_an_engine_said_counts_until_it_is_stale()
    {
        var loads = new EngineLoads(_observed, _clock);
        loads.Hear(_deployment, _replicas[0], new EngineReport(7, 3, null));
        Assert.Equal(10, loads.Of("llama", _replicas[0]));
        Assert.False(loads.AllKnown(_deployment, _replicas));

        loads.Hear(_deployment, _replicas[1], new EngineReport(1, 0, null));
        Assert.True(loads.AllKnown(_deployment, _replicas));
        _clock.Advance(TimeSpan.FromSeconds(5.1));
        Assert.Null(loads.Of("llama", _replicas[0]));
        Assert.False(loads.AllKnown(_deployment, _replicas));
    }

    [Fact]
    public void Least_loaded_goes_by_what_the_engines_of_a_deployment_say_and_by_its_own_requests_without_them()
    {
        var loads = new EngineLoads(_observed, _clock);
        var observed = _observed.Of("llama");
        observed.Begin();
        Assert.Equal(1, observed.Load);

        loads.Hear(_deployment, _replicas[0], new EngineReport(7, 3, null));
        loads.Tell(_deployment, _replicas);

        // One engine is silent, and may be so because it is busy: nothing is known of them together.
        Assert.Equal(1, observed.Load);
        loads.Hear(_deployment, _replicas[1], new EngineReport(5, 0, null));
        loads.Tell(_deployment, _replicas);
        Assert.Equal(15, observed.Load);

        // What was begun since the engines spoke is on top of it.
        observed.Begin();
        Assert.Equal(16, observed.Load);
        _clock.Advance(TimeSpan.FromSeconds(5.1));
        Assert.Equal(2, observed.Load);
    }

    [Fact]
    public void P10_Who_is_configured_no_longer_is_forgotten()
    {
        var loads = new EngineLoads(_observed, _clock);
        loads.Hear(_deployment, _replicas[0], new EngineReport(7, 3, null));
        loads.Keep(new HashSet<(string, string)>());

        Assert.Null(loads.Of("llama", _replicas[0]));
    }

    [Theory]
    [InlineData("http://10.0.0.5:8000/v1", "metrics", "http://10.0.0.5:8000/metrics")]
    [InlineData("https://gpu.example.com/llama/v1", "engine/metrics", "https://gpu.example.com/engine/metrics")]
    public void The_page_is_at_the_endpoints_origin(string endpoint, string path, string page) => Assert.Equal(page, EngineWatch.PageOf(endpoint, path).ToString());
}
