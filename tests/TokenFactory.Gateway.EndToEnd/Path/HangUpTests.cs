using System.Diagnostics;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Upstream;
using TokenFactory.TestKit.Upstream.Steps;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path;

/// <summary>The client goes away at every moment of a request's life: the backend hears of it at once, and the ledger books
/// one settlement of the prompt and what was delivered.</summary>
public sealed class HangUpTests(HangUpTests.Backend backend) : IClassFixture<HangUpTests.Backend>
{
    private static readonly TimeSpan _quickly = TimeSpan.FromSeconds(2);

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task P2_P3_before_the_head(bool stream, bool reset)
    {
        var gate = new Gate();
        backend.Upstream.Next(Script.Honest.Stalls(Place.Start, gate));
        await using var client = await SendAsync(The.ChatRequest(stream: stream));
        await gate.Reached;

        await GoAsync(client, reset);

        Told.Settled(await backend.SettlementAsync(await SettledAsync()), "client_cut", "counted", Told.CountedPrompt, 0);
    }

    [Fact]
    public async Task P2_P3_while_a_whole_answer_is_on_its_way()
    {
        var gate = new Gate();
        backend.Upstream.Next(Script.Answer().Stalls(Place.AfterPieces(1), gate));
        await using var client = await SendAsync(The.ChatRequest());
        await gate.Reached;

        await GoAsync(client, reset: false);

        Told.Settled(await backend.SettlementAsync(await SettledAsync()), "client_cut", "counted", Told.CountedPrompt, 0);
    }

    [Theory]
    [InlineData(0, " one", false)]
    [InlineData(1, "one", false)]
    [InlineData(2, " two", false)]
    [InlineData(2, " two", true)]
    [InlineData(3, " three", false)]
    public async Task P2_P3_after_so_many_words(int words, string last, bool reset)
    {
        var gate = new Gate();
        var script = words == 0 ? Script.Stream().Stalls(Place.AfterHead, gate).Says(Place.AfterHead, Opening) : Script.Stream().Stalls(Place.AfterPieces(words), gate);
        backend.Upstream.Next(script);
        await using var client = await SendAsync(The.ChatRequest(stream: true));
        await gate.Reached;
        var seen = await client.ReadUntilAsync(words == 0 ? "\"content\":\"\"" : $"\"content\":\"{last}\"");

        await GoAsync(client, reset);

        Told.Settled(await backend.SettlementAsync(RequestIdIn(seen)), "client_cut", "counted", Told.CountedPrompt, words);
    }

    [Fact]
    public async Task P2_P3_with_all_words_delivered_but_no_terminator()
    {
        var gate = new Gate();
        backend.Upstream.Next(Script.Stream().Stalls(Place.BeforeDone, gate));
        await using var client = await SendAsync(The.ChatRequest(stream: true));
        await gate.Reached;
        var seen = await client.ReadUntilAsync("\"finish_reason\":\"stop\"");

        await GoAsync(client, reset: false);

        // The backend had told its own count before.
        Told.Settled(await backend.SettlementAsync(RequestIdIn(seen)), "client_cut", "reported", 3, 4);
    }

    [Fact]
    public async Task P2_P3_in_a_stream_that_would_never_end()
    {
        backend.Upstream.Next(Scripts.Get("NeverEnding"));
        await using var client = await SendAsync(The.ChatRequest(stream: true));
        var seen = await client.ReadUntilAsync(" more");

        await GoAsync(client, reset: false);

        var settlement = await backend.SettlementAsync(RequestIdIn(seen));
        Assert.Equal("client_cut", settlement.GetProperty("outcome").GetString());
        Assert.InRange(settlement.GetProperty("tokens").GetProperty("output").GetInt64(), 5, backend.Upstream.Requests[^1].CompletionTokens);
    }

    [Fact]
    public async Task P2_the_same_moments_all_at_once_leave_one_settlement_each()
    {
        var before = (await backend.SettlementsAsync()).Count;
        var aborted = backend.Upstream.Totals.Aborted;
        backend.Upstream.On("many", Scripts.Get("NeverEnding"));

        await Task.WhenAll(Enumerable.Range(0, 20).Select(async number =>
        {
            await using var client = await SendAsync(The.ChatRequest("many", stream: true));
            await client.HangUpAfterAsync(number * 150);
        }));

        await backend.Upstream.WaitForAsync(upstream => upstream.Totals.Aborted >= aborted + backend.Upstream.Requests.Count(request => request.Ask.Model == "many"));
        for (var attempt = 0; attempt < 100 && await CountAsync() < backend.Upstream.Requests.Count(request => request.Ask.Model == "many"); attempt++)
        {
            await Task.Delay(25);
        }

        var settlements = (await backend.SettlementsAsync()).Where(row => row.GetProperty("model").GetString() == "many").ToList();
        Assert.InRange(settlements.Count, backend.Upstream.Requests.Count(request => request.Ask.Model == "many"), 20);
        Assert.All(settlements, row => Assert.Equal("client_cut", row.GetProperty("outcome").GetString()));

        async Task<int> CountAsync() => (await backend.SettlementsAsync()).Count - before;
    }

    private const string Opening = """{"id":"x","object":"chat.completion.chunk","created":1,"model":"fake-model","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}""";

    private async Task<RawHttp> SendAsync(byte[] body)
    {
        var client = await RawHttp.ConnectAsync(backend.Gateway.BaseUrl);
        await client.SendAsync(backend.ChatBytes(body));
        return client;
    }

    /// <summary>Goes away, and waits until the backend has heard of it.</summary>
    private async Task GoAsync(RawHttp client, bool reset)
    {
        var request = backend.Upstream.Requests[^1];
        var gone = Stopwatch.GetTimestamp();
        if (reset)
        {
            client.Reset();
        }
        else
        {
            client.HangUp();
        }

        await backend.Upstream.WaitForAsync(_ => request.ClientAborted, TimeSpan.FromSeconds(10));
        Assert.True(Stopwatch.GetElapsedTime(gone) < _quickly, $"The backend heard of it after {Stopwatch.GetElapsedTime(gone)}.");
    }

    /// <summary>Of a client that was never told its id: the backend was.</summary>
    private Task<string> SettledAsync() => Task.FromResult(backend.Upstream.Requests[^1].RequestId!);

    private static string RequestIdIn(string head) => head.Split("x-request-id: ", 2, StringSplitOptions.None)[1][..36];

    public sealed class Backend : PathGateway
    {
        protected override string Config => $$"""
            providers: [ { name: lab, kind: openai } ]
            deployments: [ { name: lab, provider: lab, endpoints: ["{{Upstream.BaseUrl}}"], health: { path: "false" }, max_rest: 0s, circuit: { enabled: false } } ]
            models: [ { match: "*", deployments: [ { use: lab } ] } ]
            """;
    }
}
