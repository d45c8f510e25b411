using System.Text;
using System.Text.Json;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path.Messages;

/// <summary>
/// A client of Anthropic's Messages in front of a backend of OpenAI's dialect: every way that backend behaves comes to the same end as for
/// a client of its own dialect, told in the client's, and the ledger says the same of it.
/// </summary>
public sealed class MessagesTests(MessagesTests.Backend backend) : IClassFixture<MessagesTests.Backend>
{
    private const string Plain = """{"model":"fake-model","max_tokens":100,"messages":[{"role":"user","content":"one two three"}]}""";
    private const string Streamed = """{"model":"fake-model","max_tokens":100,"stream":true,"messages":[{"role":"user","content":"one two three"}]}""";

    // What cannot be read cannot be told in another dialect; the same dialect passes it on.
    private const string Unreadable = "GarbageFrame";

    // Ten million letters in one event come at once, and counting them takes longer than this backend may be silent.
    public static TheoryData<string> Streams => [.. Quirks.Streams.Keys.Where(name => name != "TenMegabyteFrame")];

    [Theory]
    [MemberData(nameof(Streams))]
    public Task P7_P3_a_stream_tells_the_truth_of(string script) => PlayAsync(script, Quirks.Streams[script], Streamed);

    [Theory]
    [MemberData(nameof(Quirks.AnswerNames), MemberType = typeof(Quirks))]
    public Task P7_P3_an_answer_tells_the_truth_of(string script) => PlayAsync(script, Quirks.Answers[script], Plain);

    [Theory]
    [InlineData("""{"model":"fake-model","messages":[{"role":"user","content":"hi"}]}""", 400, "invalid_request_error", "max_tokens")]
    [InlineData("""{"model":"no-such-model","max_tokens":1,"messages":[{"role":"user","content":"hi"}]}""", 404, "not_found_error", "model")]
    [InlineData("""{"model":"fake-model","max_tokens":1,"messages":[]}""", 400, "invalid_request_error", "messages")]
    [InlineData("""{"model":"fake-model","max_tokens":1,"mcp_servers":[{}],"messages":[{"role":"user","content":"hi"}]}""", 400, "invalid_request_error", "mcp_servers")]
    [InlineData("""{"model":"fake-model","max_tokens":1""", 400, "invalid_request_error", null)]
    public async Task Bad_input_is_refused_in_the_clients_shape_and_reaches_no_backend(string body, int status, string type, string? param)
    {
        var before = backend.Upstream.Totals.Requests;
        var error = MessageTold.Refuses(await SendAsync(body), status);

        Assert.Equal(type, error.GetProperty("type").GetString());
        Assert.Equal(param, error.GetProperty("param").GetString());
        Assert.Equal(before, backend.Upstream.Totals.Requests);
    }

    [Theory]
    [InlineData("")]
    [InlineData("x-api-key: sk-not-a-key-of-this-gateway")]
    public async Task P4_without_a_key_nothing_is_served(string header)
    {
        var error = MessageTold.Refuses(await RawHttp.SendAsync(backend.Gateway.BaseUrl, RawHttp.Post("/v1/messages", Encoding.UTF8.GetBytes(Plain), header.Length > 0 ? [header] : [])), 401);

        Assert.Equal("authentication_error", error.GetProperty("type").GetString());
    }

    [Fact]
    public async Task A_request_that_cannot_be_said_to_the_backend_is_settled_and_costs_nothing()
    {
        var response = await SendAsync("""{"model":"fake-model","max_tokens":1,"tools":[{"type":"web_search_20250305","name":"web_search"}],"messages":[{"role":"user","content":"hi"}]}""");

        Assert.Equal("unsupported_parameter", MessageTold.Refuses(response, 400).GetProperty("code").GetString());
        Told.Settled(await backend.SettlementAsync(Told.RequestId(response)), "failed", "known_zero", 0, 0);
    }

    [Fact]
    public async Task Tokens_are_counted_without_asking_a_backend()
    {
        var before = backend.Upstream.Totals.Requests;
        var counted = await backend.PostAsync("/v1/messages/count_tokens", """{"model":"fake-model","system":"four","messages":[{"role":"user","content":"one two three"}]}""");
        var unknown = await backend.PostAsync("/v1/messages/count_tokens", """{"model":"no-such-model","messages":[{"role":"user","content":"one"}]}""");

        Assert.Equal(Told.CountedPrompt + 4, JsonDocument.Parse(counted.Text).RootElement.GetProperty("input_tokens").GetInt64());
        Assert.Equal(404, unknown.Status);
        Assert.Equal("not_found_error", MessageTold.Error(unknown.Text).GetProperty("type").GetString());
        Assert.Equal(before, backend.Upstream.Totals.Requests);
    }

    [Fact]
    public async Task Models_are_listed_in_the_dialect_of_whoever_names_its_version()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        request.Headers.Add("anthropic-version", "2023-06-01");
        using var response = await backend.Client.SendAsync(request);
        var list = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;

        Assert.False(list.GetProperty("has_more").GetBoolean());
        Assert.All(list.GetProperty("data").EnumerateArray(), model => Assert.Equal("model", model.GetProperty("type").GetString()));
        Assert.Contains(list.GetProperty("data").EnumerateArray(), model => model.GetProperty("id").GetString() == "fake-model");
    }

    private async Task PlayAsync(string script, Quirks.Row row, string body)
    {
        backend.Upstream.Next(Scripts.Get(script));
        var before = backend.Upstream.Totals.Requests;

        var response = await SendAsync(body);

        Assert.Equal(before + 1, backend.Upstream.Totals.Requests);
        Told.HidesTheBackend(response.Headers, response.Text, backend.Upstream.Port);
        if (script == Unreadable)
        {
            MessageTold.Refuses(response, 502);
            Assert.Equal("failed", (await backend.SettlementAsync(Told.RequestId(response))).GetProperty("outcome").GetString());
            return;
        }

        switch (row.Seen)
        {
            case Quirks.Seen.Stream:
                MessageTold.Completes(response);
                break;
            case Quirks.Seen.Json:
                Assert.True(response is { Status: 200, EndedCleanly: true }, response.Text);
                Assert.Equal("message", JsonDocument.Parse(response.Text).RootElement.GetProperty("type").GetString());
                break;
            case Quirks.Seen.InBand:
                MessageTold.Breaks(response);
                break;
            default:
                Assert.Equal(row.Code, MessageTold.Refuses(response, row.Status).GetProperty("code").GetString());
                Assert.Equal(row.RetryAfter, response.Headers.RetryAfter.FirstOrDefault());
                break;
        }

        var output = row.Output == Quirks.Delivered ? Told.Words(MessageTold.Text(response)) : row.Output;
        Told.Settled(await backend.SettlementAsync(Told.RequestId(response)), row.Outcome, row.Evidence, row.Input, output);
    }

    private Task<RawResponse> SendAsync(string body) => backend.PostAsync("/v1/messages", body);

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

        public Task<RawResponse> PostAsync(string path, string body) =>
            RawHttp.SendAsync(Gateway.BaseUrl, RawHttp.Post(path, Encoding.UTF8.GetBytes(body), $"x-api-key: {Key}"), TimeSpan.FromSeconds(30));
    }
}
