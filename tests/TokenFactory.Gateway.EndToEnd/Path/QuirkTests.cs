using System.Text.Json;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Upstream;
using TokenFactory.TestKit.Upstream.Steps;
using TokenFactory.TestKit.Upstream.Wires;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path;

/// <summary>Every way a backend behaves, and what the client and the ledger are told of it.</summary>
public sealed class QuirkTests(QuirkTests.Backend backend) : IClassFixture<QuirkTests.Backend>
{
    [Theory]
    [MemberData(nameof(Quirks.StreamNames), MemberType = typeof(Quirks))]
    public Task P7_P3_a_stream_tells_the_truth_of(string script) => PlayAsync(script, Quirks.Streams[script], stream: true);

    [Theory]
    [MemberData(nameof(Quirks.AnswerNames), MemberType = typeof(Quirks))]
    public Task P7_P3_an_answer_tells_the_truth_of(string script) => PlayAsync(script, Quirks.Answers[script], stream: false);

    [Theory]
    [InlineData("SplitAtEveryByte")]
    [InlineData("CrLfLineEnds")]
    [InlineData("CrLineEnds")]
    [InlineData("EventAndIdLines")]
    [InlineData("KeepAliveComments")]
    [InlineData("CommentsInsideEvents")]
    [InlineData("ByteOrderMarkFirst")]
    [InlineData("UnknownFieldsMidway")]
    [InlineData("GarbageFrame")]
    [InlineData("InvalidUtf8InsideContent")]
    public async Task P7_bytes_of_the_same_dialect_are_preserved(string script)
    {
        var body = The.ChatRequest(stream: true, usage: true);
        backend.Upstream.Next(Scripts.Get(script), Scripts.Get(script));

        var direct = await RawHttp.SendAsync(new Uri($"http://127.0.0.1:{backend.Upstream.Port}"), RawHttp.Post("/v1/chat/completions", body));
        var through = await backend.ChatAsync(body);

        var (first, second) = (backend.Upstream.Requests[^2].Number, backend.Upstream.Requests[^1].Number);
        Assert.Equal(Latin(direct).Replace($"chatcmpl-{first}\"", $"chatcmpl-{second}\"", StringComparison.Ordinal), Latin(through));
    }

    /// <summary>An abort throws away what the network has not taken yet, the error with it.</summary>
    [Fact]
    public async Task P7_a_client_that_reads_slowly_gets_every_word_of_a_broken_stream_and_the_error()
    {
        var words = Enumerable.Range(0, 50).Select(number => $" {new string((char)('a' + (number % 26)), 8000)}").ToArray();
        backend.Upstream.Next(Script.Stream(words).Cuts(Place.BeforeFinish, Cut.Fin));
        await using var client = await RawHttp.ConnectAsync(backend.Gateway.BaseUrl, window: 4096);
        await client.SendAsync(backend.ChatBytes(The.ChatRequest(stream: true)));
        await backend.Upstream.WaitForAsync(upstream => upstream.Requests[^1].BytesSent > 400_000, TimeSpan.FromSeconds(10));
        await Task.Delay(TimeSpan.FromSeconds(1));

        var response = await client.ReadResponseAsync();

        Assert.Equal("upstream_error", Told.Breaks(response).GetProperty("code").GetString());
        Assert.Equal(string.Concat(words), Told.Text(response));

        // One line says that the request ended so; the server's own words about it are no bug's.
        Assert.DoesNotContain(backend.Gateway.Output.Lines, line => line.Contains("nhandled", StringComparison.Ordinal));
    }

    [Fact]
    public async Task P3_usage_that_was_asked_for_is_seen_once_and_as_the_backend_said_it()
    {
        var response = await backend.ChatAsync(The.ChatRequest(stream: true, usage: true));

        Told.Completes(response);
        var usage = Assert.Single(response.Events, data => data.Contains("\"usage\":{", StringComparison.Ordinal));
        Assert.Equal(4, JsonDocument.Parse(usage).RootElement.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
    }

    [Fact]
    public async Task P2_every_settlement_has_one_usage_event_with_its_id_and_its_counts()
    {
        List<string> ids = [];
        foreach (var script in new[] { "Faithful", "FinMidway", "ErrorFrameFirst", "NoUsage" })
        {
            backend.Upstream.Next(Scripts.Get(script));
            ids.Add(Told.RequestId(await backend.ChatAsync(The.ChatRequest(stream: true))));
        }

        var events = await backend.EventsAsync(lines => ids.TrueForAll(id => lines.Any(line => Id(line) == id)));

        foreach (var id in ids)
        {
            var data = Assert.Single(events, line => Id(line) == id).GetProperty("data");
            var settlement = await backend.SettlementAsync(id);
            Assert.Equal(settlement.GetProperty("outcome").GetString(), data.GetProperty("outcome").GetString());
            Assert.Equal(settlement.GetProperty("evidence").GetString(), data.GetProperty("evidence").GetString());
            Assert.Equal(settlement.GetProperty("tokens").GetProperty("output").GetInt64(), data.GetProperty("tokens").GetProperty("output").GetInt64());
            Assert.Equal(settlement.GetProperty("cost_nano_usd").GetInt64(), data.GetProperty("cost_nano_usd").GetInt64());
        }
    }

    private async Task PlayAsync(string script, Quirks.Row row, bool stream)
    {
        backend.Upstream.Next(Scripts.Get(script));
        var before = backend.Upstream.Totals.Requests;

        var response = await backend.ChatAsync(The.ChatRequest(stream: stream));

        switch (row.Seen)
        {
            case Quirks.Seen.Stream:
                Told.Completes(response);
                break;
            case Quirks.Seen.Json:
                Assert.True(response is { Status: 200, EndedCleanly: true }, response.Text);
                break;
            case Quirks.Seen.InBand:
                Told.Breaks(response);
                break;
            default:
                Assert.Equal(row.Code, Told.Refuses(response, row.Status).GetProperty("code").GetString());
                Assert.Equal(row.RetryAfter, response.Headers.RetryAfter.FirstOrDefault());
                break;
        }

        Assert.Equal(before + 1, backend.Upstream.Totals.Requests);
        Told.HidesTheBackend(response.Headers, response.Text, backend.Upstream.Port);
        if (stream && row.Seen != Quirks.Seen.Json)
        {
            // A frame too large to hold flows as it comes, its empty "usage" included.
            Assert.DoesNotContain(script == "TenMegabyteFrame" ? "\"usage\":{" : "\"usage\"", response.Text, StringComparison.Ordinal);
        }

        var output = row.Output == Quirks.Delivered ? Told.Words(Told.Text(response)) : row.Output;
        Told.Settled(await backend.SettlementAsync(Told.RequestId(response)), row.Outcome, row.Evidence, row.Input, output);
    }

    private static string Latin(RawResponse response) => System.Text.Encoding.Latin1.GetString(response.Body);

    private static string Id(JsonElement line) => line.GetProperty("id").GetString()!;

    public sealed class Backend : PathGateway
    {
        protected override string Config => $$"""
            providers:
              - { name: lab, kind: openai, region: eu-west-1 }
            deployments:
              - name: quirky
                provider: lab
                endpoints: ["{{Upstream.BaseUrl}}"]
                model: fake-model
                usd_per_million: { input: 1, output: 2 }
                timeouts: { connect: 1s, first_byte: 1500ms, idle: 1500ms }
                health: { path: "false" }
                max_rest: 0s
                circuit: { enabled: false }
            models:
              - { name: fake-model, deployments: [ { use: quirky } ] }
            """;
    }
}
