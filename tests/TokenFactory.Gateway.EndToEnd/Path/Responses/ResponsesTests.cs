using System.Text;
using System.Text.Json;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Upstream;
using TokenFactory.TestKit.Upstream.Responses;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path.Responses;

/// <summary><c>POST /v1/responses</c> in front of a backend that speaks them, and every way it behaves: what the client is told and what the ledger says of it.</summary>
public sealed class ResponsesTests(ResponsesGateway gateway) : IClassFixture<ResponsesGateway>
{
    private const long P = Told.CountedPrompt;
    private const long Delivered = -1;

    private static readonly Dictionary<string, Row> _rows = new()
    {
        [nameof(ResponseStreamScripts.ResponseStream)] = Whole("reported", 3, 4),
        [nameof(ResponseStreamScripts.ResponseSplitAtEveryByte)] = Whole("reported", 3, 4),
        [nameof(ResponseStreamScripts.ResponseWithCrLf)] = Whole("reported", 3, 4),
        [nameof(ResponseStreamScripts.ResponseWithoutEventLines)] = Whole("reported", 3, 4),
        [nameof(ResponseStreamScripts.ResponseWithUnknownEvent)] = Whole("reported", 3, 4),
        [nameof(ResponseStreamScripts.ResponseThenDone)] = Whole("reported", 3, 4),
        [nameof(ResponseStreamScripts.ResponseWithCache)] = Whole("reported", 100, 7),
        [nameof(ResponseStreamScripts.ResponseWithoutUsage)] = Whole("counted", P, 4),
        [nameof(ResponseStreamScripts.ResponseWithAbsurdUsage)] = Whole("counted", P, 4),

        [nameof(ResponseStreamScripts.ResponseWithoutEnd)] = Broken("backend_cut", "counted", P, 4),
        [nameof(ResponseStreamScripts.ResponseEndsInDoneAlone)] = Broken("backend_cut", "counted", P, 4),
        [nameof(ResponseStreamScripts.ResponseEndsMidway)] = Broken("backend_cut", "counted", P, Delivered),
        [nameof(ResponseStreamScripts.ResponseFinMidway)] = Broken("backend_cut", "counted", P, Delivered),
        [nameof(ResponseStreamScripts.ResponseResetMidway)] = Broken("backend_cut", "counted", P, Delivered),
        [nameof(ResponseStreamScripts.ResponseFinInsideEvent)] = Broken("backend_cut", "counted", P, Delivered),
        [nameof(ResponseStreamScripts.ResponseStallsMidway)] = Broken("timed_out", "counted", P, Delivered),
        [nameof(ResponseStreamScripts.ResponseFailsMidway)] = Broken("failed", "reported", 3, 2),
        [nameof(ResponseStreamScripts.ResponseErrorMidway)] = Broken("failed", "counted", P, Delivered),
        [nameof(ResponseStreamScripts.ResponseErrorFirst)] = Refused(502, "upstream_error", "failed", P),
        [nameof(ResponseStreamScripts.ResponseEndsAfterHead)] = Refused(502, "upstream_error", "backend_cut", P),

        [nameof(ResponseAnswerScripts.ResponseAnswer)] = Whole("reported", 3, 4) with { IsJson = true },
        [nameof(ResponseAnswerScripts.ResponseAnswerWithCache)] = Whole("reported", 100, 7) with { IsJson = true },
        [nameof(ResponseAnswerScripts.ResponseAnswerWithoutUsage)] = Whole("counted", P, 4) with { IsJson = true },
        [nameof(ResponseAnswerScripts.ResponseAnswerFailed)] = Refused(502, "upstream_error", "failed", P),
        [nameof(ResponseAnswerScripts.ResponseAnswerFailedAfterWork)] = Refused(502, "upstream_error", "failed", 31) with { Evidence = "reported", Output = 2 },
        [nameof(ResponseAnswerScripts.ResponseAnswerOfGarbage)] = Refused(502, "upstream_error", "failed", P),
        [nameof(ResponseAnswerScripts.ResponseAnswerNumbered)] = Refused(502, "upstream_error", "failed", P),
        [nameof(ResponseAnswerScripts.ResponseAnswerFinHalfway)] = Refused(502, "upstream_error", "backend_cut", P),
        [nameof(AnswerScripts.BadRequestOfVllm)] = Free(400, "context_length_exceeded"),
        [nameof(AnswerScripts.UnauthorizedAsString)] = Free(502, "upstream_error"),
        [nameof(AnswerScripts.TooManyRequests)] = Free(429, "rate_limit_exceeded"),
    };

    private static readonly string[] _streams = [.. typeof(ResponseStreamScripts).GetProperties().Select(script => script.Name)];

    public static TheoryData<string> Cases => [.. _rows.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task P7_P3_an_answer_tells_the_truth_of(string script)
    {
        var row = _rows[script];
        gateway.Upstream.Next(Scripts.Get(script));
        var before = gateway.Upstream.Totals.Requests;

        var response = await gateway.SendAsync(ResponsesGateway.Body(stream: _streams.Contains(script)));

        Assert.Equal(before + 1, gateway.Upstream.Totals.Requests);
        Told.HidesTheBackend(response.Headers, response.Text, gateway.Upstream.Port);
        if (row.Status != 200)
        {
            Assert.Equal(row.Code, Told.Refuses(response, row.Status).GetProperty("code").GetString());
        }
        else if (row.IsJson)
        {
            Assert.True(response is { Status: 200, EndedCleanly: true }, response.Text);
        }
        else if (row.Outcome == "completed")
        {
            ResponseTold.Completes(response);
        }
        else
        {
            ResponseTold.Breaks(response);
        }

        var output = row.Output == Delivered ? Told.Words(ResponseTold.Text(response)) : row.Output;
        var settlement = await gateway.SettlementAsync(Told.RequestId(response));
        Told.Settled(settlement, row.Outcome, row.Evidence, row.Input, output);
        Assert.Equal("responses", settlement.GetProperty("operation").GetString());
    }

    [Theory]
    [InlineData(nameof(ResponseStreamScripts.ResponseStream), true)]
    [InlineData(nameof(ResponseStreamScripts.ResponseSplitAtEveryByte), true)]
    [InlineData(nameof(ResponseStreamScripts.ResponseWithCrLf), true)]
    [InlineData(nameof(ResponseStreamScripts.ResponseWithUnknownEvent), true)]
    [InlineData(nameof(ResponseStreamScripts.ResponseForeign), true)]
    [InlineData(nameof(ResponseStreamScripts.ResponseGarbageEvent), true)]
    [InlineData(nameof(ResponseAnswerScripts.ResponseAnswer), false)]
    public async Task P7_all_bytes_but_the_responses_id_are_the_backends_own(string script, bool stream)
    {
        gateway.Upstream.Next(Scripts.Get(script), Scripts.Get(script));

        var direct = await RawHttp.SendAsync(
            new Uri($"http://127.0.0.1:{gateway.Upstream.Port}"), RawHttp.Post("/v1/responses", ResponsesGateway.Body(stream, model: "fake-model"), $"authorization: Bearer {ResponsesGateway.Credential}"));
        var through = await gateway.SendAsync(ResponsesGateway.Body(stream));

        var (first, second) = (gateway.Upstream.Requests[^2].Number, gateway.Upstream.Requests[^1].Number);
        var sent = Encoding.Latin1.GetString(direct.Body);
        var expected = sent.Replace($"\"id\":\"resp_{first}\"", $"\"id\":\"{ResponseTold.Id(through)}\"", StringComparison.Ordinal)
            .Replace($"resp_{first}\"", $"resp_{second}\"", StringComparison.Ordinal);
        Assert.Equal(expected, Encoding.Latin1.GetString(through.Body));
    }

    [Fact]
    public async Task What_the_caller_asks_reaches_the_backend_as_it_came()
    {
        var body = Encoding.UTF8.GetBytes("""{"input":[{"role":"user","content":"x"}], "model" : "talker","reasoning":{"effort":"low"},"store":false,"include":["reasoning.encrypted_content"],"x_unknown":{"a":[1, 2]}}""");

        Assert.Equal(200, (await gateway.SendAsync(body)).Status);

        Assert.Equal(Encoding.UTF8.GetString(body).Replace("\"talker\"", "\"fake-model\"", StringComparison.Ordinal), Encoding.UTF8.GetString(gateway.Upstream.Requests[^1].Body.Span));
    }

    [Theory]
    [InlineData("\"background\":true", "background")]
    [InlineData("\"conversation\":\"conv_1\"", "conversation")]
    [InlineData("\"prompt\":{\"id\":\"pmpt_1\"}", "prompt")]
    [InlineData("\"tools\":[{\"type\":\"mcp\",\"server_label\":\"x\",\"server_url\":\"https://elsewhere.example\"}]", "tools[0]")]
    [InlineData("\"tools\":[{\"type\":\"mcp\",\"server_label\":\"x\",\"connector_id\":\"connector_dropbox\"}]", "tools[0]")]
    [InlineData("\"tools\":[{\"vector_store_ids\":[\"vs_1\"],\"type\":\"file_search\"}]", "tools[0]")]
    [InlineData("\"tools\":[{\"type\":\"function\",\"name\":\"f\"},{\"type\":\"code_interpreter\",\"container\":\"cntr_1\"}]", "tools[1]")]
    [InlineData("\"tools\":[{\"type\":\"code_interpreter\",\"container\":{\"type\":\"auto\",\"file_ids\":[\"file_1\"]}}]", "tools[0]")]
    [InlineData("\"tools\":[{\"type\":\"image_generation\"}]", "tools[0]")]
    [InlineData("\"tools\":[{\"type\":\"something_new\"}]", "tools[0]")]
    [InlineData("\"input\":[{\"type\":\"item_reference\",\"id\":\"msg_1\"}]", "input[0]")]
    [InlineData("\"input\":[{\"id\":\"msg_1\"}]", "input[0]")]
    [InlineData("\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_file\",\"file_id\":\"file_1\"}]}]", "input[0]")]
    public async Task P9_P4_what_nobody_could_meter_separate_or_judge_is_refused_by_name(string member, string param)
    {
        var before = gateway.Upstream.Totals.Requests;
        var input = member.StartsWith("\"input\"", StringComparison.Ordinal) ? "" : ",\"input\":\"hi\"";

        var error = Told.Refuses(await gateway.SendAsync(Encoding.UTF8.GetBytes($"{{\"model\":\"talker\",{member}{input}}}")), 400);

        Assert.Equal(("unsupported_parameter", param), (error.GetProperty("code").GetString(), error.GetProperty("param").GetString()));
        Assert.Equal(before, gateway.Upstream.Totals.Requests);
    }

    [Theory]
    [InlineData("\"background\":false,\"conversation\":null,\"prompt\":null")]
    [InlineData("\"tools\":[{\"type\":\"function\",\"name\":\"f\",\"parameters\":{\"type\":\"object\",\"properties\":{\"file_id\":{\"type\":\"string\"}}}},{\"type\":\"web_search\"},{\"type\":\"custom\",\"name\":\"c\"},{\"type\":\"code_interpreter\",\"container\":{\"type\":\"auto\"}}]")]
    public async Task What_can_be_metered_passes(string member) =>
        Assert.Equal(200, (await gateway.SendAsync(Encoding.UTF8.GetBytes($"{{\"model\":\"talker\",{member},\"input\":\"hi\"}}"))).Status);

    [Fact]
    public async Task What_an_earlier_answer_was_taken_from_may_be_told_back()
    {
        var item = """{"type":"message","role":"assistant","content":[{"type":"output_text","text":"a","annotations":[{"type":"file_citation","file_id":"file_1"}]}]}""";

        Assert.Equal(200, (await gateway.SendAsync(Encoding.UTF8.GetBytes($$"""{"model":"talker","input":[{{item}},{"role":"user","content":"b"}]}"""))).Status);
    }

    [Fact]
    public async Task The_built_in_model_answers_the_same_every_time_streamed_and_not()
    {
        var whole = await gateway.SendAsync(ResponsesGateway.Body(stream: false, model: "loopback"));
        var streamed = await gateway.SendAsync(ResponsesGateway.Body(stream: true, model: "loopback"));

        Assert.Equal("one two three", JsonDocument.Parse(whole.Text).RootElement.GetProperty("output")[0].GetProperty("content")[0].GetProperty("text").GetString());
        ResponseTold.Completes(streamed);
        Assert.Equal("one two three", ResponseTold.Text(streamed));
        foreach (var response in (RawResponse[])[whole, streamed])
        {
            Assert.Equal(("completed", "reported"), (await gateway.SettlementAsync(Told.RequestId(response))) is var row ? (row.GetProperty("outcome").GetString(), row.GetProperty("evidence").GetString()) : default);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Manual_mode_answers_in_this_dialect_too_and_costs_nothing(bool stream)
    {
        var response = await gateway.SendAsync(ResponsesGateway.Body(stream, model: "helped"));

        Assert.Equal((200, "manual"), (response.Status, response.Headers["x-tf-degraded"].ToString()));
        Assert.Equal("Write to the help desk.", stream ? ResponseTold.Text(response) : JsonDocument.Parse(response.Text).RootElement.GetProperty("output")[0].GetProperty("content")[0].GetProperty("text").GetString());
        Told.Settled(await gateway.SettlementAsync(Told.RequestId(response)), "completed", "known_zero", 0, 0);
    }

    [Fact]
    public async Task P5_the_bound_on_the_answer_is_what_limits_hold()
    {
        var fits = await gateway.SendAsync(ResponsesGateway.Body(stream: false, maxOutput: 500), ResponsesGateway.Narrow);
        var refused = await gateway.SendAsync(ResponsesGateway.Body(stream: false, maxOutput: 5000), ResponsesGateway.Narrow);

        Assert.Equal(200, fits.Status);
        Assert.Equal("rate_limit_exceeded", Told.Refuses(refused, 429).GetProperty("code").GetString());
    }

    private static Row Whole(string evidence, long input, long output) => new(200, null, "completed", evidence, input, output);

    private static Row Broken(string outcome, string evidence, long input, long output) => new(200, null, outcome, evidence, input, output);

    private static Row Refused(int status, string code, string outcome, long input) => new(status, code, outcome, "counted", input, 0);

    private static Row Free(int status, string? code) => new(status, code, "failed", "known_zero", 0, 0);

    private sealed record Row(int Status, string? Code, string Outcome, string Evidence, long Input, long Output)
    {
        public bool IsJson { get; init; }
    }
}
