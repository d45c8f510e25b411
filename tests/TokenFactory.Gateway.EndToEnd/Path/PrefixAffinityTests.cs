using System.Text.Json.Nodes;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Upstream;
using TokenFactory.TestKit.Upstream.Steps;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path;

/// <summary>Two gateways that know nothing of each other in front of the same three engines.</summary>
public sealed class PrefixAffinityTests : IAsyncLifetime
{
    private const string Acme = "the-key-of-the-tenant-acme";
    private const string Globex = "the-key-of-the-tenant-globex";
    private const int Conversations = 30;

    private readonly FakeUpstream[] _engines = new FakeUpstream[3];
    private readonly GatewayProcess[] _gateways = new GatewayProcess[2];

    public async ValueTask InitializeAsync()
    {
        for (var index = 0; index < _engines.Length; index++)
        {
            _engines[index] = await FakeUpstream.StartAsync(new FakeUpstreamOptions { Name = $"engine{index}-" });
        }

        for (var index = 0; index < _gateways.Length; index++)
        {
            _gateways[index] = await GatewayProcess.StartAsync(new GatewayOptions { Config = Config(), Environment = new Dictionary<string, string?> { ["ACME"] = Acme, ["GLOBEX"] = Globex } });
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var gateway in _gateways)
        {
            await gateway.DisposeAsync();
        }

        foreach (var engine in _engines)
        {
            await engine.DisposeAsync();
        }
    }

    [Fact]
    public async Task Gateways_agree_on_the_engine_of_a_conversation_and_an_engine_that_goes_moves_only_its_own()
    {
        var before = await OwnersAsync(_gateways[0], Acme);
        Assert.Equal(before, await OwnersAsync(_gateways[1], Acme, turns: 2));
        Assert.Equal(3, before.Distinct().Count());

        // The same words of another tenant lie elsewhere as often as chance has it.
        Assert.NotEqual(before, await OwnersAsync(_gateways[0], Globex));

        var gone = before[0];
        var gonePort = _engines[gone].Port;
        await _engines[gone].DisposeAsync();
        await WarmAsync(before, gone);
        var after = await OwnersAsync(_gateways[0], Acme);
        Assert.All(before.Zip(after).Where(both => both.First != gone), both => Assert.Equal(both.First, both.Second));
        Assert.DoesNotContain(gone, after);
        _engines[gone] = await FakeUpstream.StartAsync(new FakeUpstreamOptions { Name = $"engine{gone}-", Port = gonePort });
    }

    [Fact]
    public async Task A_hot_prefix_is_spread_once_its_engine_has_more_than_its_share()
    {
        var gate = new Gate();
        foreach (var engine in _engines)
        {
            engine.On("engines", Script.Answer().Stalls(TestKit.Upstream.Steps.Place.Start, gate));
        }

        var open = Enumerable.Range(0, 24).Select(_ => AskAsync(_gateways[0], Acme, 1, 1)).ToArray();
        for (var attempt = 0; attempt < 400 && _engines.Sum(Asked) < 24; attempt++)
        {
            await Task.Delay(25);
        }

        // A quarter above the mean of eight, and one for those that were picked in the same instant.
        var counts = _engines.Select(Asked).ToArray();
        gate.Open();
        Assert.All(await Task.WhenAll(open), answer => Assert.Equal(200, answer.Status));
        Assert.Equal(24, counts.Sum());
        Assert.True(counts.Max() is >= 8 and <= 11, string.Join(' ', counts));
    }

    [Fact]
    public async Task Engines_that_say_how_loaded_they_are_get_requests_accordingly()
    {
        for (var index = 0; index < _engines.Length; index++)
        {
            _engines[index].OnPath("/metrics", Script.Body(200, "text/plain; version=0.0.4", $"vllm:num_requests_running{{engine=\"0\"}} {(index == 1 ? 0 : 50)}\nvllm:num_requests_waiting{{engine=\"0\"}} 0\n"));
        }

        // Of two that are drawn the less loaded one is asked: the idle engine whenever it is drawn, two times in three.
        await Task.Delay(1500);
        for (var index = 0; index < 60; index++)
        {
            Assert.Equal(200, (await AskAsync(_gateways[0], Acme, index, 1, "loaded")).Status);
        }

        Assert.InRange(Asked(_engines[1]), 28, 52);
    }

    /// <summary>Until the gateway has noticed: three failures in a row let a replica rest.</summary>
    private async Task WarmAsync(int[] owners, int gone)
    {
        foreach (var conversation in Enumerable.Range(0, Conversations).Where(one => owners[one] == gone).Take(4))
        {
            await AskAsync(_gateways[0], Acme, conversation, 1);
        }
    }

    /// <summary>Which engine each conversation went to.</summary>
    private async Task<int[]> OwnersAsync(GatewayProcess gateway, string key, int turns = 1)
    {
        var owners = new int[Conversations];
        for (var conversation = 0; conversation < Conversations; conversation++)
        {
            var answer = await AskAsync(gateway, key, conversation, turns);
            Assert.Equal(200, answer.Status);
            owners[conversation] = Array.FindIndex(_engines, engine => JsonNode.Parse(answer.Text)!["id"]!.GetValue<string>().Contains(engine.Name, StringComparison.Ordinal));
        }

        return owners;
    }

    /// <summary>Its own page of metrics is asked for as well.</summary>
    private static int Asked(FakeUpstream engine) => engine.Requests.Count(request => request.Method == "POST");

    private static Task<RawResponse> AskAsync(GatewayProcess gateway, string key, int conversation, int turns, string model = "engines") => RawHttp.SendAsync(
        gateway.BaseUrl,
        RawHttp.Post("/v1/chat/completions", The.ChatRequest(model, $"conversation {conversation}", change: request =>
        {
            for (var turn = 1; turn < turns; turn++)
            {
                request["messages"]!.AsArray().Add(new JsonObject { ["role"] = "assistant", ["content"] = "and?" });
                request["messages"]!.AsArray().Add(new JsonObject { ["role"] = "user", ["content"] = $"turn {turn}" });
            }
        }), $"authorization: Bearer {key}"),
        TimeSpan.FromSeconds(30));

    private string Config()
    {
        var endpoints = string.Join(", ", _engines.Select(engine => $"\"{engine.BaseUrl}\""));
        return $$"""
            providers: [ { name: gpu, kind: openai } ]
            deployments:
              - { name: engines, provider: gpu, endpoints: [{{endpoints}}], affinity: prefix, circuit: { enabled: false }, health: { path: "false" } }
              - { name: loaded, provider: gpu, endpoints: [{{endpoints}}], load: { path: metrics, interval: 500ms }, health: { path: "false" } }
            models:
              - { name: engines, deployments: [ { use: engines } ] }
              - { name: loaded, deployments: [ { use: loaded } ] }
            tenants:
              - { name: acme, projects: [ { name: p } ], keys: [ { name: k, project: p, secret: env:ACME } ] }
              - { name: globex, projects: [ { name: p } ], keys: [ { name: k, project: p, secret: env:GLOBEX } ] }
            """;
    }
}
