using System.Text;
using System.Text.Json;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Upstream;
using TokenFactory.TestKit.Upstream.Anthropic;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path.Messages;

/// <summary>
/// A backend of Anthropic's Messages, and every way it behaves: what a client is told in either dialect, and what the ledger says of it,
/// which is the same for both.
/// </summary>
public sealed class AnthropicBackendTests(AnthropicBackendTests.Backend backend) : IClassFixture<AnthropicBackendTests.Backend>
{
    private const long P = Told.CountedPrompt;
    private const long Delivered = -1;

    private static readonly Dictionary<string, Row> _rows = new()
    {
        [nameof(MessageStreamScripts.MessageStream)] = Whole("reported", 3, 4),
        [nameof(MessageStreamScripts.MessageSplitAtEveryByte)] = Whole("reported", 3, 4),
        [nameof(MessageStreamScripts.MessageWithCrLf)] = Whole("reported", 3, 4),
        [nameof(MessageStreamScripts.MessageWithPings)] = Whole("reported", 3, 4),
        [nameof(MessageStreamScripts.MessageWithUnknownEvent)] = Whole("reported", 3, 4),
        [nameof(MessageStreamScripts.MessageWithoutEventLines)] = Whole("reported", 3, 4),
        [nameof(MessageStreamScripts.MessageWithCache)] = Whole("reported", 100, 7),
        [nameof(MessageStreamScripts.MessageWithoutUsage)] = Whole("counted", P, 4),
        [nameof(MessageStreamScripts.MessageWithAbsurdUsage)] = Whole("counted", P, 4),
        [nameof(MessageStreamScripts.MessageWholeInsteadOfStream)] = Whole("reported", 3, 4) with { IsJson = true },

        [nameof(MessageStreamScripts.MessageWithoutStop)] = Broken("backend_cut", "reported", 3, 4),
        [nameof(MessageStreamScripts.MessageWithoutDelta)] = Broken("backend_cut", "counted", 3, 4),
        [nameof(MessageStreamScripts.MessageEndsMidway)] = Broken("backend_cut", "counted", 3, Delivered),
        [nameof(MessageStreamScripts.MessageFinMidway)] = Broken("backend_cut", "counted", 3, Delivered),
        [nameof(MessageStreamScripts.MessageResetMidway)] = Broken("backend_cut", "counted", 3, Delivered),
        [nameof(MessageStreamScripts.MessageFinInsideEvent)] = Broken("backend_cut", "counted", 3, Delivered),
        [nameof(MessageStreamScripts.MessageFinBeforeDelta)] = Broken("backend_cut", "counted", 3, Delivered),
        [nameof(MessageStreamScripts.MessageFinBeforeStop)] = Broken("backend_cut", "reported", 3, 4),
        [nameof(MessageStreamScripts.MessageStallsMidway)] = Broken("timed_out", "counted", 3, Delivered),
        [nameof(MessageStreamScripts.MessageErrorMidway)] = Broken("failed", "counted", 3, Delivered),
        [nameof(MessageStreamScripts.MessageEndsAfterHead)] = Refused(502, "upstream_error", "backend_cut", P),
        [nameof(MessageStreamScripts.MessageErrorFirst)] = Refused(502, "upstream_error", "failed", P),

        [nameof(MessageAnswerScripts.MessageAnswer)] = Whole("reported", 3, 4) with { IsJson = true },
        [nameof(MessageAnswerScripts.MessageAnswerWithCache)] = Whole("reported", 100, 7) with { IsJson = true },
        [nameof(MessageAnswerScripts.MessageAnswerWithoutUsage)] = Whole("counted", P, 4) with { IsJson = true },
        [nameof(MessageAnswerScripts.MessageAnswerFinHalfway)] = Refused(502, "upstream_error", "backend_cut", P),
        [nameof(MessageAnswerScripts.MessageAnswerOfGarbage)] = Refused(502, "upstream_error", "failed", P),
        [nameof(MessageAnswerScripts.MessageBadRequest)] = Free(400, "context_length_exceeded"),
        [nameof(MessageAnswerScripts.MessageUnauthorized)] = Free(502, "upstream_error"),
        [nameof(MessageAnswerScripts.MessageForbidden)] = Free(502, "upstream_error"),
        [nameof(MessageAnswerScripts.MessageOutOfCredit)] = Free(429, "rate_limit_exceeded"),
        [nameof(MessageAnswerScripts.MessageUnknownModel)] = Free(404, null),
        [nameof(MessageAnswerScripts.MessageTooLarge)] = Free(413, null),
        [nameof(MessageAnswerScripts.MessageTooMany)] = Free(429, "rate_limit_exceeded"),
        [nameof(MessageAnswerScripts.MessageOverloaded)] = Free(503, "server_is_overloaded"),
        [nameof(MessageAnswerScripts.MessageServerError)] = Refused(502, "upstream_error", "failed", P),
        [nameof(MessageAnswerScripts.MessageTimeout)] = Refused(504, "upstream_timeout", "failed", P),
    };

    private static readonly string[] _streams = [.. typeof(MessageStreamScripts).GetProperties().Select(script => script.Name)];

    public static TheoryData<string, string> Cases => new(from dialect in (string[])["openai", "anthropic"] from script in _rows.Keys select (dialect, script));

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task P7_P3_an_answer_tells_the_truth_of(string dialect, string script)
    {
        var row = _rows[script];
        backend.Upstream.Next(Scripts.Get(script));
        var before = backend.Upstream.Totals.Requests;

        var response = await backend.SendAsync(dialect, stream: _streams.Contains(script));

        Assert.Equal(before + 1, backend.Upstream.Totals.Requests);
        Told.HidesTheBackend(response.Headers, response.Text, backend.Upstream.Port);
        var isOpenAi = dialect == "openai";
        if (row.Status != 200)
        {
            var error = isOpenAi ? Told.Refuses(response, row.Status) : MessageTold.Refuses(response, row.Status);
            Assert.Equal(row.Code, error.GetProperty("code").GetString());
        }
        else if (row.IsJson)
        {
            Assert.True(response is { Status: 200, EndedCleanly: true }, response.Text);
        }
        else if (row.Outcome != "completed")
        {
            _ = isOpenAi ? Told.Breaks(response) : MessageTold.Breaks(response);
        }
        else if (isOpenAi)
        {
            Told.Completes(response);
            Assert.DoesNotContain("\"usage\"", response.Text, StringComparison.Ordinal);
        }
        else
        {
            Assert.True(response is { Status: 200, EndedCleanly: true }, response.Text);
            Assert.Contains("message_stop", response.Events[^1], StringComparison.Ordinal);
        }

        var output = row.Output == Delivered ? Told.Words(isOpenAi ? Told.Text(response) : MessageTold.Text(response)) : row.Output;
        Told.Settled(await backend.SettlementAsync(Told.RequestId(response)), row.Outcome, row.Evidence, row.Input, output);
    }

    [Theory]
    [InlineData(nameof(MessageStreamScripts.MessageStream))]
    [InlineData(nameof(MessageStreamScripts.MessageSplitAtEveryByte))]
    [InlineData(nameof(MessageStreamScripts.MessageWithCrLf))]
    [InlineData(nameof(MessageStreamScripts.MessageWithUnknownEvent))]
    [InlineData(nameof(MessageStreamScripts.MessageThinking))]
    [InlineData(nameof(MessageStreamScripts.MessageTwoTools))]
    [InlineData(nameof(MessageStreamScripts.MessageForeignAndSplit))]
    [InlineData(nameof(MessageStreamScripts.MessageGarbageEvent))]
    public async Task P7_bytes_of_the_same_dialect_are_preserved(string script)
    {
        backend.Upstream.Next(Scripts.Get(script), Scripts.Get(script));
        var body = Backend.Body("anthropic", stream: true);

        var direct = await RawHttp.SendAsync(
            new Uri($"http://127.0.0.1:{backend.Upstream.Port}"), RawHttp.Post("/v1/messages", body, "anthropic-version: 2023-06-01", $"x-api-key: {Backend.Credential}"));
        var through = await backend.SendAsync("anthropic", stream: true);

        var (first, second) = (backend.Upstream.Requests[^2].Number, backend.Upstream.Requests[^1].Number);
        Assert.Equal(Unnumbered(direct, first), Unnumbered(through, second));
    }

    [Fact]
    public async Task P8_the_backend_hears_its_own_credential_and_version_and_nothing_of_the_caller()
    {
        await backend.SendAsync("openai", stream: false);
        var headers = backend.Upstream.Requests[^1].Headers;

        Assert.Equal(Backend.Credential, headers["x-api-key"].ToString());
        Assert.Equal("2023-06-01", headers["anthropic-version"].ToString());
        Assert.DoesNotContain("authorization", headers.Keys, StringComparer.OrdinalIgnoreCase);
        Assert.DoesNotContain(headers, header => header.Value.ToString().Contains(backend.Key, StringComparison.Ordinal));
    }

    private static string Unnumbered(RawResponse response, long number) =>
        Encoding.Latin1.GetString(response.Body).Replace($"{number}\"", "\"", StringComparison.Ordinal).Replace($"toolu_{number}_", "toolu_", StringComparison.Ordinal);

    private static Row Whole(string evidence, long input, long output) => new(200, null, "completed", evidence, input, output);

    private static Row Broken(string outcome, string evidence, long input, long output) => new(200, null, outcome, evidence, input, output);

    private static Row Refused(int status, string code, string outcome, long input) => new(status, code, outcome, "counted", input, 0);

    /// <summary>The backend only turned the request away: nothing is charged.</summary>
    private static Row Free(int status, string? code) => new(status, code, "failed", "known_zero", 0, 0);

    private sealed record Row(int Status, string? Code, string Outcome, string Evidence, long Input, long Output)
    {
        public bool IsJson { get; init; }
    }

    public sealed class Backend : PathGateway
    {
        public const string Credential = "sk-ant-of-the-gateway";

        protected override Dictionary<string, string?> Environment => new() { ["FAR_KEY"] = Credential };

        protected override string Config => $$"""
            providers:
              - { name: lab, kind: anthropic, region: eu-west-1, credential: env:FAR_KEY }
            deployments:
              - name: far
                provider: lab
                endpoints: ["{{Upstream.BaseUrl}}"]
                model: fake-model
                usd_per_million: { input: 1, output: 2 }
                timeouts: { connect: 1s, first_byte: 1500ms, idle: 1500ms }
                health: { path: "false" }
                max_rest: 0s
                circuit: { enabled: false }
            models:
              - { name: fake-model, deployments: [ { use: far } ] }
            """;

        public static byte[] Body(string dialect, bool stream) => JsonSerializer.SerializeToUtf8Bytes(
            dialect == "openai"
                ? (object)new { model = "fake-model", stream, messages = (object[])[new { role = "user", content = "one two three" }] }
                : new { model = "fake-model", max_tokens = 100, stream, messages = (object[])[new { role = "user", content = "one two three" }] });

        public Task<RawResponse> SendAsync(string dialect, bool stream) => RawHttp.SendAsync(
            Gateway.BaseUrl,
            RawHttp.Post(dialect == "openai" ? "/v1/chat/completions" : "/v1/messages", Body(dialect, stream), $"authorization: Bearer {Key}"),
            TimeSpan.FromSeconds(30));
    }
}
