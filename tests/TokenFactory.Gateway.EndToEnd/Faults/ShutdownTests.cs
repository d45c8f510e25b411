using System.Diagnostics;
using TokenFactory.Storage.Ledger;
using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Upstream;
using TokenFactory.TestKit.Upstream.Steps;
using TokenFactory.Tokenizer;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Faults;

/// <summary>SIGTERM with answers in flight: what can end in time ends as if nothing happened, the rest is told so and settled before the store closes.</summary>
public sealed class ShutdownTests
{
    private static readonly Plan _stream = new("/v1/chat/completions", Site.Reporting, "alpha beta gamma delta", Stream: true, AsksUsage: true);

    [Fact]
    public async Task P2_an_answer_that_ends_within_the_drain_is_served_whole()
    {
        var gate = new Gate();
        using var data = new TempFolder();
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.On(Site.Reporting, Script.Honest.Stalls(Place.AfterPieces(3), gate));
        await using var gateway = await GatewayProcess.StartAsync(Site.Options(upstream, data, more: "server: { drain: 20s }"));
        using var client = Site.Client(gateway);

        var calling = Caller.MakeAsync(client, _stream);
        await gate.Reached;
        var stopping = gateway.StopAsync();
        await Task.Delay(TimeSpan.FromSeconds(2.5));
        gate.Open();
        var call = await calling;

        Assert.True(call.Whole);
        Assert.Equal(0, await stopping);
        var settled = Assert.Single(await new Books(data.Path).SettlementsAsync()).Value;
        Assert.Equal((call.Id, Outcome.Completed, call.ToldOutput), (settled.RequestId, settled.Outcome, settled.Tokens.Output));
        Assert.Equal(settled.RequestId, Assert.Single(new Books(data.Path).Events()).Id);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task P2_P7_an_answer_that_outlasts_the_drain_is_told_so_and_settled_as_drained(bool stream)
    {
        var gate = new Gate();
        using var data = new TempFolder();
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.On(Site.Reporting, Script.Honest.Stalls(Place.AfterPieces(stream ? 2 : 1), gate));
        await using var gateway = await GatewayProcess.StartAsync(Site.Options(upstream, data, more: "server: { drain: 1s }"));
        using var client = Site.Client(gateway);

        var calling = Caller.MakeAsync(client, _stream with { Stream = stream });
        await gate.Reached;
        var started = Stopwatch.GetTimestamp();
        Assert.Equal(0, await gateway.StopAsync());
        var call = await calling;

        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(8), "it waited longer than the drain allows");
        Assert.False(call.Whole);
        Assert.Equal("server_draining", call.ErrorCode);
        Assert.Equal(stream ? 200 : 503, call.Status);
        var settled = Assert.Single(await new Books(data.Path).SettlementsAsync()).Value;
        Assert.Equal((call.Id, Outcome.Drained, Evidence.Counted), (settled.RequestId, settled.Outcome, settled.Evidence));
        Assert.Equal(stream ? TokenEncoding.O200kBase.Count("Echo alpha"u8) : 0, settled.Tokens.Output);
        Assert.Equal("drained", Assert.Single(new Books(data.Path).Events()).Outcome);
    }

    [Fact]
    public async Task A_leaving_replica_is_unready_and_goes_on_serving_until_the_delay_is_over()
    {
        using var data = new TempFolder();
        await using var upstream = await FakeUpstream.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(Site.Options(upstream, data, more: "server: { drain_delay: 4s, drain: 5s }"));
        using var client = Site.Client(gateway);
        Assert.True((await Caller.MakeAsync(client, _stream)).Whole);

        var started = Stopwatch.GetTimestamp();
        var stopping = gateway.StopAsync();
        while ((await client.GetAsync("/health/ready")).IsSuccessStatusCode)
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(3), "it stayed ready");
            await Task.Delay(20);
        }

        // Kept connections are closed after their answer, new ones are accepted.
        var calls = new[] { await Caller.MakeAsync(client, _stream), await Caller.MakeAsync(client, _stream with { Stream = false }) };

        Assert.All(calls, call => Assert.True(call.Whole));
        Assert.False(stopping.IsCompleted);
        Assert.Equal(0, await stopping);
        Assert.True(Stopwatch.GetElapsedTime(started) >= TimeSpan.FromSeconds(4), "it closed its door too early");
        Assert.Equal(3, (await new Books(data.Path).SettlementsAsync()).Count);
    }
}
