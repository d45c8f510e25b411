using System.Text.Json;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path;

/// <summary><c>POST /v1/moderations</c>: an operation like the others, asked only of whoever serves it, counted here where the backend counts nothing.</summary>
public sealed class ModerationTests(ModerationTests.Backend backend) : IClassFixture<ModerationTests.Backend>
{
    private const string Both = """["you are forbidden","good morning"]""";

    [Fact]
    public async Task P3_A_verdict_passes_as_it_came_and_the_input_is_counted_where_the_backend_counts_nothing()
    {
        var response = await backend.SendAsync("judge", Both);
        var (direct, usage) = (JsonDocument.Parse(response.Text).RootElement, await backend.SettlementAsync(Told.RequestId(response)));

        Assert.Equal([true, false], direct.GetProperty("results").EnumerateArray().Select(result => result.GetProperty("flagged").GetBoolean()));
        Told.Settled(usage, "completed", "counted", input: 5, output: 0);
        Assert.Equal("moderations", usage.GetProperty("operation").GetString());
        Assert.Equal("/v1/moderations", backend.Upstream.Requests[^1].Path);
        Assert.Equal("far-judge", backend.Upstream.Requests[^1].Ask.Model);
    }

    [Fact]
    public async Task P3_What_a_backend_reports_wins()
    {
        backend.Upstream.Next(Script.Answer().WithUsage(42, 0));

        var response = await backend.SendAsync("judge", Both);

        Told.Settled(await backend.SettlementAsync(Told.RequestId(response)), "completed", "reported", input: 42, output: 0);
    }

    [Fact]
    public async Task A_deployment_is_not_asked_for_what_it_does_not_name()
    {
        var before = backend.Upstream.Totals.Requests;

        var error = Told.Refuses(await backend.SendAsync("fake-model", Both), 404);

        Assert.Equal("model_not_found", error.GetProperty("code").GetString());
        Assert.Contains("moderations", error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(before, backend.Upstream.Totals.Requests);
    }

    [Theory]
    [InlineData("\"this is violence\"", true)]
    [InlineData("[{\"type\":\"text\",\"text\":\"hello\"},{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,AAAA\"}}]", false)]
    public async Task The_built_in_model_answers_the_same_every_time(string input, bool flagged)
    {
        var response = await backend.SendAsync("loopback", input);

        var result = Assert.Single(JsonDocument.Parse(response.Text).RootElement.GetProperty("results").EnumerateArray());
        Assert.Equal((flagged, flagged), (result.GetProperty("flagged").GetBoolean(), result.GetProperty("categories").GetProperty("violence").GetBoolean()));
        Assert.Equal("completed", (await backend.SettlementAsync(Told.RequestId(response))).GetProperty("outcome").GetString());
    }

    [Theory]
    [InlineData("judging-key", 200)]
    [InlineData("chatting-key", 200)]
    [InlineData("embedding-key", 403)]
    public async Task A_key_needs_the_scope_of_moderations_or_of_chat(string key, int status) =>
        Assert.Equal(status, (await backend.SendAsync("judge", Both, Backend.Secret(key))).Status);

    [Theory]
    [InlineData("3", "input")]
    [InlineData("[{\"type\":\"text\",\"text\":\"a\"},true]", "input")]
    public async Task What_is_no_input_is_refused_by_name_and_reaches_no_backend(string input, string param)
    {
        var before = backend.Upstream.Totals.Requests;

        Assert.Equal(param, Told.Refuses(await backend.SendAsync("judge", input), 400).GetProperty("param").GetString());

        Assert.Equal(before, backend.Upstream.Totals.Requests);
    }

    public sealed class Backend : PathGateway
    {
        public override string Key => Secret("judging-key-of-all");

        protected override string Config => $$"""
            providers:
              - { name: lab, kind: openai, region: eu-west-1 }
            deployments:
              - { name: chats, provider: lab, endpoints: ["{{Upstream.BaseUrl}}"], health: { path: "false" } }
              - { name: judges, provider: lab, endpoints: ["{{Upstream.BaseUrl}}"], model: far-judge, operations: [moderations], usd_per_million: { input: 1 }, health: { path: "false" } }
            models:
              - { name: fake-model, deployments: [ { use: chats } ] }
              - { name: judge, deployments: [ { use: judges } ] }
            tenants:
              - name: acme
                projects: [ { name: search } ]
                keys:
                  - { name: all, project: search, secret: env:KEY_ALL }
                  - { name: judging, project: search, secret: env:KEY_JUDGING, scopes: ["inference:moderations"] }
                  - { name: chatting, project: search, secret: env:KEY_CHATTING, scopes: ["inference:chat"] }
                  - { name: embedding, project: search, secret: env:KEY_EMBEDDING, scopes: ["inference:embeddings"] }
            """;

        protected override Dictionary<string, string?> Environment => new()
        {
            ["KEY_ALL"] = Secret("judging-key-of-all"),
            ["KEY_JUDGING"] = Secret("judging-key"),
            ["KEY_CHATTING"] = Secret("chatting-key"),
            ["KEY_EMBEDDING"] = Secret("embedding-key"),
        };

        public static string Secret(string name) => $"{name}-that-is-long-enough";

        public Task<RawResponse> SendAsync(string model, string input, string? key = null) => RawHttp.SendAsync(
            Gateway.BaseUrl,
            RawHttp.Post("/v1/moderations", System.Text.Encoding.UTF8.GetBytes($$"""{"model":"{{model}}","input":{{input}}}"""), $"authorization: Bearer {key ?? Key}"),
            TimeSpan.FromSeconds(30));
    }
}
