using System.Text.Json;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path;

/// <summary>Every way a backend behaves, and what the client and the ledger are told of it.</summary>
public sealed class QuirkTests(QuirkTests.Backend backend) : IClassFixture<QuirkTests.Backend>
{
    private const long P = Told.CountedPrompt;

    /// <summary>What a request that asked for a stream, and for no usage, is told.</summary>
    private static readonly Dictionary<string, Row> _streams = new()
    {
        ["Faithful"] = Whole("reported", 3, 4),
        ["SplitAtEveryByte"] = Whole("reported", 3, 4),
        ["CrLfLineEnds"] = Whole("reported", 3, 4),
        ["CrLineEnds"] = Whole("reported", 3, 4),
        ["NoSpaceAfterColon"] = Whole("reported", 3, 4),
        ["EventAndIdLines"] = Whole("reported", 3, 4),
        ["KeepAliveComments"] = Whole("reported", 3, 4),
        ["CommentsInsideEvents"] = Whole("reported", 3, 4),
        ["ByteOrderMarkFirst"] = Whole("reported", 3, 4),
        ["PromptFilterResultsFirst"] = Whole("reported", 3, 4),
        ["EmptyChoicesMidway"] = Whole("reported", 3, 4),
        ["UnknownFieldsMidway"] = Whole("reported", 3, 4),
        ["FinishReasonOfTgi"] = Whole("reported", 3, 4),
        ["TenMegabyteFrame"] = Whole("reported", 3, 3),
        ["SlowFirstByte"] = Whole("reported", 3, 4),

        ["NoUsage"] = Whole("counted", P, 4),
        ["UsageUnasked"] = Whole("reported", 3, 4),
        ["UsageOnEveryChunk"] = Whole("reported", 3, 4),
        ["ZeroUsageOnEveryChunk"] = Whole("counted", P, 4),
        ["UsageTwice"] = Whole("reported", 3, 4),
        ["UsageTwiceAndFirstIsLower"] = Whole("reported", 3, 4),
        ["UsageZero"] = Whole("counted", P, 4),
        ["UsageNegative"] = Whole("counted", P, 4),
        ["UsageAbsurd"] = Whole("counted", P, 4),
        ["UsageOfStrings"] = Whole("counted", P, 4),
        ["CachedAboveThePrompt"] = Whole("reported", 3, 4),

        ["MissingDone"] = Broken("backend_cut", "reported", 3, 4),
        ["MissingFinish"] = Broken("backend_cut", "reported", 3, 4),
        ["DoneTwice"] = Whole("reported", 3, 4),
        ["WordsAfterDone"] = Whole("reported", 3, 4),
        ["LastEventWithoutBlankLine"] = Whole("reported", 3, 4),
        ["EndsMidway"] = Broken("backend_cut", "counted", P, Delivered),
        ["EndsAfterHead"] = Refused(502, "upstream_error", "backend_cut", "counted", P),

        ["ResetBeforeHead"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["FinBeforeHead"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["ResetAfterHead"] = Refused(502, "upstream_error", "backend_cut", "counted", P),
        ["ResetMidway"] = Broken("backend_cut", "counted", P, Delivered),
        ["FinMidway"] = Broken("backend_cut", "counted", P, Delivered),
        ["ResetInsideFrame"] = Broken("backend_cut", "counted", P, Delivered),
        ["FinInsideFrame"] = Broken("backend_cut", "counted", P, Delivered),
        ["FinBeforeFinish"] = Broken("backend_cut", "counted", P, Delivered),
        ["FinBeforeUsage"] = Broken("backend_cut", "counted", P, Delivered),
        ["FinBeforeDone"] = Broken("backend_cut", "reported", 3, 4),
        ["FinAfterDone"] = Whole("reported", 3, 4),

        ["StallsBeforeHead"] = Refused(504, "upstream_timeout", "timed_out", "counted", P),
        ["StallsAfterHead"] = Refused(504, "upstream_timeout", "timed_out", "counted", P),
        ["StallsMidway"] = Broken("timed_out", "counted", P, Delivered),
        ["StallsBeforeDone"] = Broken("timed_out", "reported", 3, 4),

        ["ErrorFrameThenDone"] = Broken("failed", "counted", P, Delivered),
        ["ErrorFrameThenEnd"] = Broken("failed", "counted", P, Delivered),
        ["ErrorFrameFirst"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["ErrorFrameOfTgi"] = Broken("failed", "counted", P, Delivered),
        ["ErrorFrameOfSglang"] = Broken("failed", "counted", P, Delivered),
        ["ErrorEvent"] = Broken("failed", "counted", P, Delivered),
        ["ErrorBodyWith200"] = Refused(502, "upstream_error", "failed", "counted", P),

        ["WholeAnswerInsteadOfStream"] = new Row(Seen.Json, 200, null, "completed", "reported", 3, 4),
        ["StreamAsPlainText"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["GarbageFrame"] = Whole("reported", 3, 4),
        ["GarbageBytes"] = Whole("reported", 3, 4),
        ["InvalidUtf8InsideContent"] = Whole("reported", 3, 4),
    };

    /// <summary>What a request that asked for one body is told.</summary>
    private static readonly Dictionary<string, Row> _answers = new()
    {
        ["FaithfulAnswer"] = Answered("reported", 3, 4),
        ["AnswerWithoutUsage"] = Answered("counted", P, 4),
        ["AnswerWithZeroUsage"] = Answered("counted", P, 4),
        ["AnswerWithAbsurdUsage"] = Answered("counted", P, 4),
        ["TenMegabyteAnswer"] = Answered("reported", 3, 1),
        ["AnswerSplitAtEveryByte"] = Answered("reported", 3, 4),

        ["AnswerWithErrorInside"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["EmptyAnswer"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["AnswerOfHtml"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["AnswerOfHalfJson"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["AnswerOfGarbage"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["NoContent"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["NotHttp"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["ContentLengthTooLong"] = Refused(502, "upstream_error", "backend_cut", "counted", P),
        ["ContentLengthTooShort"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["AnswerResetBeforeHead"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["AnswerFinBeforeHead"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["AnswerResetHalfway"] = Refused(502, "upstream_error", "backend_cut", "counted", P),
        ["AnswerFinHalfway"] = Refused(502, "upstream_error", "backend_cut", "counted", P),
        ["AnswerStallsBeforeHead"] = Refused(504, "upstream_timeout", "timed_out", "counted", P),
        ["AnswerStallsHalfway"] = Refused(504, "upstream_timeout", "timed_out", "counted", P),

        ["BadRequestOfVllm"] = Free(400, "context_length_exceeded"),
        ["BadRequestOfSglang"] = Free(400, "400"),
        ["ContextExceededOfLlamaCpp"] = Free(400, "context_length_exceeded"),
        ["ContentFilterOfAzure"] = Free(400, "content_filter"),
        ["UnauthorizedAsString"] = Free(502, "upstream_error"),
        ["UnauthorizedEchoingTheKey"] = Free(502, "upstream_error"),
        ["Forbidden"] = Free(502, "upstream_error"),
        ["ModelNotFoundOfVllm"] = Free(404, "404"),
        ["RequestTimeout"] = Free(504, "upstream_timeout"),
        ["UnprocessableOfTgi"] = Free(422, null),
        ["FailedDependencyOfTgi"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["TooManyRequests"] = Free(429, "rate_limit_exceeded", "2"),
        ["TooManyRequestsForAnHour"] = Free(429, "rate_limit_exceeded", "60"),
        ["QuotaExceeded"] = Free(429, "rate_limit_exceeded", "5"),
        ["ServerError"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["ServerErrorWithoutBody"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["BadGatewayOfHtml"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["LoadingOfLlamaCpp"] = Free(503, "server_is_overloaded", "1"),
        ["GatewayTimeout"] = Refused(504, "upstream_timeout", "failed", "counted", P),
        ["OverloadedOfAnthropic"] = Free(503, "server_is_overloaded", "5"),
        ["RedirectsElsewhere"] = Free(502, "upstream_error"),
    };

    /// <summary>As many as the client received words.</summary>
    private const long Delivered = -1;

    private enum Seen
    {
        Stream,
        Json,
        InBand,
        Status,
    }

    /// <summary>Its end is the client's; see HangUpTests.</summary>
    public static TheoryData<string> Streams => [.. Scripts.Streams.Select(script => script.Name).Where(name => name != "NeverEnding")];

    public static TheoryData<string> Answers => [.. Scripts.Answers.Select(script => script.Name)];

    [Theory]
    [MemberData(nameof(Streams))]
    public Task P7_P3_a_stream_tells_the_truth_of(string script) => PlayAsync(script, _streams[script], stream: true);

    [Theory]
    [MemberData(nameof(Answers))]
    public Task P7_P3_an_answer_tells_the_truth_of(string script) => PlayAsync(script, _answers[script], stream: false);

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

    private async Task PlayAsync(string script, Row row, bool stream)
    {
        backend.Upstream.Next(Scripts.Get(script));
        var before = backend.Upstream.Totals.Requests;

        var response = await backend.ChatAsync(The.ChatRequest(stream: stream));

        switch (row.Seen)
        {
            case Seen.Stream:
                Told.Completes(response);
                break;
            case Seen.Json:
                Assert.True(response is { Status: 200, EndedCleanly: true }, response.Text);
                break;
            case Seen.InBand:
                Told.Breaks(response);
                break;
            default:
                Assert.Equal(row.Code, Told.Refuses(response, row.Status).GetProperty("code").GetString());
                Assert.Equal(row.RetryAfter, response.Headers.RetryAfter.FirstOrDefault());
                break;
        }

        Assert.Equal(before + 1, backend.Upstream.Totals.Requests);
        Told.HidesTheBackend(response.Headers, response.Text, backend.Upstream.Port);
        if (stream && row.Seen != Seen.Json)
        {
            // A frame too large to hold flows as it comes, its empty "usage" included.
            Assert.DoesNotContain(script == "TenMegabyteFrame" ? "\"usage\":{" : "\"usage\"", response.Text, StringComparison.Ordinal);
        }

        var output = row.Output == Delivered ? Told.Words(Told.Text(response)) : row.Output;
        Told.Settled(await backend.SettlementAsync(Told.RequestId(response)), row.Outcome, row.Evidence, row.Input, output);
    }

    private static string Latin(RawResponse response) => System.Text.Encoding.Latin1.GetString(response.Body);

    private static string Id(JsonElement line) => line.GetProperty("id").GetString()!;

    private static Row Whole(string evidence, long input, long output) => new(Seen.Stream, 200, null, "completed", evidence, input, output);

    private static Row Answered(string evidence, long input, long output) => new(Seen.Json, 200, null, "completed", evidence, input, output);

    private static Row Broken(string outcome, string evidence, long input, long output) => new(Seen.InBand, 200, null, outcome, evidence, input, output);

    private static Row Refused(int status, string? code, string outcome, string evidence, long input) => new(Seen.Status, status, code, outcome, evidence, input, 0) { RetryAfter = null };

    /// <summary>The backend only turned the request away: nothing is charged.</summary>
    private static Row Free(int status, string? code, string? retryAfter = null) => new(Seen.Status, status, code, "failed", "known_zero", 0, 0) { RetryAfter = retryAfter };

    private sealed record Row(Seen Seen, int Status, string? Code, string Outcome, string Evidence, long Input, long Output)
    {
        public string? RetryAfter { get; init; }
    }

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
