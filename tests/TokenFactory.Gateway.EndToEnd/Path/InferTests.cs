using System.Text;
using System.Text.Json;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path;

/// <summary>The sovereignty contract: what goes in, what comes out, and that it passes every stop like any other request.</summary>
public sealed class InferTests(InferTests.Backend backend) : IClassFixture<InferTests.Backend>
{
    private const string Invoice = """{"number": "A-1", "total": 12.5}""";

    [Fact]
    public async Task Output_contract_every_field_is_there_and_true()
    {
        var (response, answer) = await SendAsync(new { prompt = "one two three", use_case_id = "helpdesk" });

        Assert.Equal(200, response.Status);
        Assert.Equal(Told.Answer, answer.GetProperty("response_text").GetString());
        Assert.Equal("stop", answer.GetProperty("finish_reason").GetString());
        var metadata = answer.GetProperty("sovereignty_metadata");
        Assert.Equal(("lab", "eu-west-1", "fake-model", "3.1"), (Text(metadata, "provider_id"), Text(metadata, "provider_region"), Text(metadata, "model_id"), Text(metadata, "model_version")));
        Assert.Matches(@"^\d+\.\d+\.\d+", Text(metadata, "gateway_version"));
        Assert.True(answer.GetProperty("latency_ms").GetDouble() > 0);
        Assert.Equal((3, 4, "reported"), (answer.GetProperty("tokens_in").GetInt64(), answer.GetProperty("tokens_out").GetInt64(), Text(answer.GetProperty("evidence"), "tokens")));
        Assert.Equal(Told.RequestId(response), Text(answer, "request_id"));
        Assert.Equal(response.Headers["x-tf-policy-decision"].ToString(), Text(answer, "policy_decision_id"));
        Assert.Equal(JsonValueKind.Null, answer.GetProperty("error").ValueKind);
        var fallback = answer.GetProperty("fallback");
        Assert.Equal((false, 1, 0), (fallback.GetProperty("used").GetBoolean(), fallback.GetProperty("attempts").GetInt32(), fallback.GetProperty("triggers").GetArrayLength()));
        Told.Settled(await backend.SettlementAsync(Told.RequestId(response)), "completed", "reported", 3, 4);
    }

    [Fact]
    public async Task Input_contract_every_field_is_judged_by_the_policy_and_none_goes_to_the_backend()
    {
        var (response, answer) = await SendAsync(new
        {
            use_case_id = "helpdesk",
            environment = "production",
            user_context = new { id = "user-4711", role = "agent" },
            region_requirement = "eu",
            data_classification = "restricted",
            safety_profile_id = "strict",
            controls_declared = new { logging = true, redaction = true, circuit_breaker = false },
            messages = (object[])[new { role = "user", content = "one two three" }],
            max_tokens = 50,
        });

        Assert.True(response.Status == 200, response.Text);
        Assert.Equal("lab", Text(answer.GetProperty("sovereignty_metadata"), "provider_id"));
        var sent = Encoding.UTF8.GetString(backend.Upstream.Requests[^1].Body.Span);
        foreach (var word in (string[])["helpdesk", "production", "user-4711", "agent", "restricted", "strict", "redaction"])
        {
            Assert.DoesNotContain(word, sent, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Input_contract_what_the_policy_denies_is_denied_with_codes_and_its_decision()
    {
        var before = backend.Upstream.Totals.Requests;
        var (response, answer) = await SendAsync(new { prompt = "one", use_case_id = "helpdesk", data_classification = "restricted" });

        Assert.Equal(403, response.Status);
        Assert.Equal("policy_denied", Text(answer.GetProperty("error"), "code"));
        Assert.Contains("controls_missing", Text(answer.GetProperty("error"), "message"), StringComparison.Ordinal);
        Assert.True(Guid.TryParse(Text(answer, "policy_decision_id"), out _));
        Assert.Equal(before, backend.Upstream.Totals.Requests);
    }

    [Theory]
    [InlineData("""{"prompt":"a","messages":[]}""", "prompt", null)]
    [InlineData("""{}""", "prompt", null)]
    [InlineData("""{"prompt":"a","operation":"paint"}""", "operation", null)]
    [InlineData("""{"prompt":"a","colour":"red"}""", "colour", null)]
    [InlineData("""{"prompt":"a","prompt":"b"}""", "prompt", null)]
    [InlineData("""{"prompt":"a","output_schema_id":"none"}""", "output_schema_id", "unknown_schema")]
    [InlineData("""{"prompt":"a","output_schema_id":"invoice","stream":true}""", "stream", null)]
    [InlineData("""{"prompt":"a","operation":"classify"}""", "labels", null)]
    [InlineData("""{"prompt":"a","operation":"classify","labels":["one"]}""", "labels", null)]
    [InlineData("""{"prompt":"a","user_context":"me"}""", "user_context", null)]
    [InlineData("""{"prompt":"a","use_case_id":"no-such-case"}""", null, "unknown_use_case")]
    [InlineData("""{"prompt":"a","max_tokens":0}""", "max_tokens", null)]
    [InlineData("""{"prompt":"a","model":"no-such-model","use_case_id":"helpdesk"}""", "model", "model_not_found")]
    [InlineData("""{"prompt":"a""", null, null)]
    [InlineData("{\"prompt\":\"\\ud83d\"}", null, null)]
    [InlineData("""{"prompt":"a","controls_declared":{"logging":true,"logging":false}}""", "controls_declared", null)]
    public async Task Bad_input_is_refused_by_name_and_reaches_no_backend(string body, string? param, string? code)
    {
        var before = backend.Upstream.Totals.Requests;
        var response = await backend.PostAsync(body);
        var error = JsonDocument.Parse(response.Text).RootElement.GetProperty("error");

        Assert.InRange(response.Status, 400, 404);
        Assert.Equal(param, error.GetProperty("param").GetString());
        Assert.True(code is null || code == error.GetProperty("code").GetString(), response.Text);
        Assert.Equal(before, backend.Upstream.Totals.Requests);
    }

    [Fact]
    public async Task A_header_that_says_something_else_makes_it_contradictory()
    {
        var response = await backend.PostAsync("""{"prompt":"a","data_classification":"public"}""", "x-tf-classification: restricted");

        Assert.Equal(400, response.Status);
        Assert.Contains("contradictory_governance", response.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Structured_output_that_fits_is_given_as_JSON()
    {
        backend.Upstream.Next(Script.Answer("```json\n" + Invoice + "\n```"));
        var (response, answer) = await SendAsync(new { prompt = "read it", output_schema_id = "invoice", use_case_id = "helpdesk" });

        Assert.True(response.Status == 200, response.Text);
        Assert.Equal(12.5, answer.GetProperty("output").GetProperty("total").GetDouble());
        Assert.Contains("json_schema", Encoding.UTF8.GetString(backend.Upstream.Requests[^1].Body.Span), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Quality_output_that_does_not_fit_is_asked_for_once_more_as_a_request_of_its_own()
    {
        backend.Upstream.Next(Script.Answer("""{"number": 7}"""), Script.Answer(Invoice));
        var before = backend.Upstream.Totals.Requests;
        var (response, answer) = await SendAsync(new { prompt = "read it", output_schema_id = "invoice", use_case_id = "helpdesk" });

        Assert.Equal(200, response.Status);
        Assert.Equal("A-1", Text(answer.GetProperty("output"), "number"));
        var fallback = answer.GetProperty("fallback");
        Assert.Equal("invalid_output", Assert.Single(fallback.GetProperty("triggers").EnumerateArray()).GetString());
        Assert.Equal(before + 2, backend.Upstream.Totals.Requests);
        foreach (var id in (string[])[Text(answer, "request_id"), Text(fallback, "repaired_request_id")])
        {
            Assert.Equal("completed", (await backend.SettlementAsync(id)).GetProperty("outcome").GetString());
        }
    }

    [Fact]
    public async Task Quality_output_that_never_fits_is_an_error_after_two_tries_and_not_more()
    {
        backend.Upstream.Next(Script.Answer("no JSON at all"), Script.Answer("""{"number": "A"}"""));
        var before = backend.Upstream.Totals.Requests;
        var (response, answer) = await SendAsync(new { prompt = "read it", output_schema_id = "invoice", use_case_id = "helpdesk" });

        Assert.Equal(502, response.Status);
        Assert.Equal("invalid_output", Text(answer.GetProperty("error"), "code"));
        Assert.Contains("$.total: is missing", Text(answer.GetProperty("error"), "message"), StringComparison.Ordinal);
        Assert.Equal(before + 2, backend.Upstream.Totals.Requests);
    }

    [Fact]
    public async Task Quality_output_that_does_not_fit_degrades_the_model_to_manual_mode_for_a_duration()
    {
        // What the caller's own bound cut says nothing of the model.
        for (var tries = 0; tries < 3; tries++)
        {
            backend.Upstream.Next(Cut(), Cut());
            await SendAsync(new { model = "judged-cut", prompt = "read it", output_schema_id = "invoice", use_case_id = "helpdesk" });
        }

        Assert.NotEqual("manual", Text((await SendAsync(new { model = "judged-cut", prompt = "read it", use_case_id = "helpdesk" })).Answer.GetProperty("fallback"), "degraded"));

        object request = new { model = "judged", prompt = "read it", output_schema_id = "invoice", use_case_id = "helpdesk" };
        for (var tries = 0; tries < 2; tries++)
        {
            backend.Upstream.Next(Script.Answer("no JSON at all"), Script.Answer("still none"));
            Assert.Equal(502, (await SendAsync(request)).Response.Status);
        }

        var before = backend.Upstream.Totals.Requests;
        var (response, answer) = await SendAsync(request);

        Assert.Equal((200, "manual"), (response.Status, Text(answer.GetProperty("fallback"), "degraded")));
        Assert.Equal("low_quality", Assert.Single(answer.GetProperty("fallback").GetProperty("triggers").EnumerateArray()).GetString());
        Assert.Equal(before, backend.Upstream.Totals.Requests);

        static Script Cut() => Script.Json(200, """{"id":"c","object":"chat.completion","model":"fake-model","choices":[{"index":0,"message":{"role":"assistant","content":"{"},"finish_reason":"length"}],"usage":{"prompt_tokens":3,"completion_tokens":1}}""");
    }

    [Fact]
    public async Task Classify_answers_with_one_of_the_labels()
    {
        backend.Upstream.Next(Script.Answer("""{"label":"angry"}"""), Script.Answer("""{"label":"complaint"}"""));
        var (_, answer) = await SendAsync(new { operation = "classify", prompt = "Where is my parcel?!", labels = (string[])["complaint", "praise"], use_case_id = "helpdesk" });

        Assert.Equal("complaint", Text(answer.GetProperty("output"), "label"));
    }

    [Fact]
    public async Task Moderate_answers_with_a_verdict_and_its_categories()
    {
        backend.Upstream.Next(Script.Answer("""{"flagged":true,"categories":["violence"]}"""));
        var (_, answer) = await SendAsync(new { operation = "moderate", prompt = "text", use_case_id = "helpdesk" });

        Assert.True(answer.GetProperty("output").GetProperty("flagged").GetBoolean());
        Assert.Equal("violence", answer.GetProperty("output").GetProperty("categories")[0].GetString());
    }

    [Fact]
    public async Task Embed_answers_with_a_vector_for_each_text()
    {
        var (response, answer) = await SendAsync(new { operation = "embed", prompt = (string[])["one", "two"], use_case_id = "helpdesk" });

        Assert.True(response.Status == 200, response.Text);
        Assert.Equal(2, answer.GetProperty("embeddings").GetArrayLength());
        Assert.Equal(2, answer.GetProperty("tokens_in").GetInt64());
    }

    [Fact]
    public async Task P1_a_stream_ends_with_the_contracts_answer_once_all_is_settled()
    {
        var response = await backend.PostAsync("""{"prompt":"one two three","stream":true,"use_case_id":"helpdesk"}""");

        Assert.True(response is { Status: 200, EndedCleanly: true }, response.Text);
        var texts = response.Events.SkipLast(1).Select(data => JsonDocument.Parse(data).RootElement.GetProperty("text").GetString());
        Assert.Equal(Told.Answer, string.Concat(texts));
        var result = JsonDocument.Parse(response.Events[^1]).RootElement;
        Assert.Equal((4, "stop"), (result.GetProperty("tokens_out").GetInt64(), Text(result, "finish_reason")));
        Assert.Contains("event: result\n", response.Text, StringComparison.Ordinal);
        Told.Settled(await backend.SettlementAsync(Text(result, "request_id")), "completed", "reported", 3, 4);
    }

    [Fact]
    public async Task P7_a_stream_that_breaks_ends_with_an_error_and_no_answer()
    {
        backend.Upstream.Next(Scripts.Get("FinMidway"));
        var response = await backend.PostAsync("""{"prompt":"one two three","stream":true,"use_case_id":"helpdesk"}""");

        Assert.False(response.EndedCleanly);
        Assert.DoesNotContain("event: result", response.Text, StringComparison.Ordinal);
        Assert.Equal("upstream_error", JsonDocument.Parse(response.Events[^1]).RootElement.GetProperty("error").GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("EndsAfterHead", 502)]
    [InlineData("ErrorFrameFirst", 502)]
    [InlineData("StallsAfterHead", 504)]
    public async Task P7_a_stream_that_fails_before_its_first_word_is_an_error_with_its_status(string script, int status)
    {
        backend.Upstream.Next(Scripts.Get(script));
        var response = await backend.PostAsync("""{"prompt":"one two three","stream":true,"use_case_id":"helpdesk"}""");

        Assert.True(response.Status == status, response.Text);
        Assert.NotEmpty(Text(JsonDocument.Parse(response.Text).RootElement.GetProperty("error"), "message"));
    }

    [Theory]
    [InlineData("EmptyAnswer")]
    [InlineData("AnswerOfHalfJson")]
    [InlineData("AnswerFinHalfway")]
    public async Task P7_an_answer_that_is_none_is_an_error(string script)
    {
        backend.Upstream.Next(Scripts.Get(script));
        var (response, answer) = await SendAsync(new { prompt = "one", use_case_id = "helpdesk" });

        Assert.Equal(502, response.Status);
        Assert.Equal("upstream_error", Text(answer.GetProperty("error"), "code"));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"choices\":[]}")]
    [InlineData("{\"choices\":null}")]
    [InlineData("{\"data\":{}}")]
    public async Task P7_a_body_that_is_no_answer_is_an_error(string body)
    {
        backend.Upstream.Next(Script.Json(200, body));
        var (response, answer) = await SendAsync(new { prompt = "one", use_case_id = "helpdesk" });

        Assert.Equal(502, response.Status);
        Assert.Equal("upstream_error", Text(answer.GetProperty("error"), "code"));
    }

    [Fact]
    public async Task P4_without_a_key_nothing_is_told_of_schemas_or_models()
    {
        var body = Encoding.UTF8.GetBytes("""{"prompt":"a","output_schema_id":"none"}""");
        var response = await RawHttp.SendAsync(backend.Gateway.BaseUrl, RawHttp.Post("/v1/infer", body));

        Assert.Equal(401, response.Status);
        Assert.DoesNotContain("schema", response.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fallback_flags_say_that_nobody_answered_but_the_operator()
    {
        backend.Upstream.Next(Scripts.Get("ServerError"));
        var (response, answer) = await SendAsync(new { prompt = "one", model = "with-manual", use_case_id = "helpdesk" });

        Assert.True(response.Status == 200, response.Text);
        var fallback = answer.GetProperty("fallback");
        Assert.Equal((true, "manual"), (fallback.GetProperty("used").GetBoolean(), Text(fallback, "degraded")));
        Assert.Equal("backend_failed", fallback.GetProperty("triggers")[0].GetString());
        Assert.Equal("Write to the help desk.", Text(answer, "response_text"));
    }

    private static string Text(JsonElement holder, string name) => holder.GetProperty(name).GetString()!;

    private async Task<(RawResponse Response, JsonElement Answer)> SendAsync(object request)
    {
        var response = await backend.PostAsync(JsonSerializer.Serialize(request));
        return (response, JsonDocument.Parse(response.Text).RootElement);
    }

    public sealed class Backend : PathGateway
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("gateway-infer-").FullName;

        protected override string Config => $$"""
            policy: { bundle: "{{Written("bundle.yaml", Bundle)}}" }
            infer:
              models: { generate: fake-model, classify: fake-model, moderate: fake-model, embed: fake-model }
              schemas: [ { id: invoice, file: "{{Written("invoice.json", Schema)}}" } ]
            providers:
              - { name: lab, kind: openai, region: eu-west-1 }
              - { name: desk, kind: manual }
            deployments:
              - name: fine
                provider: lab
                endpoints: ["{{Upstream.BaseUrl}}"]
                model: fake-model
                version: "3.1"
                timeouts: { connect: 1s, first_byte: 1500ms, idle: 1500ms }
                health: { path: "false" }
                max_rest: 0s
                circuit: { enabled: false }
              - { name: judged, provider: lab, endpoints: ["{{Upstream.BaseUrl}}"], model: fake-model, health: { path: "false" }, low_quality: { counts: invalid, percent: 100, min_answers: 4, window: 1m, rest: 1h } }
              - { name: judged-cut, provider: lab, endpoints: ["{{Upstream.BaseUrl}}"], model: fake-model, health: { path: "false" }, low_quality: { counts: invalid, percent: 100, min_answers: 4, window: 1m, rest: 1h } }
              - { name: by-hand, provider: desk, answer: Write to the help desk. }
            models:
              - { name: fake-model, deployments: [ { use: fine } ] }
              - { name: judged-cut, deployments: [ { use: judged-cut }, { use: by-hand } ] }
              - { name: judged, deployments: [ { use: judged }, { use: by-hand } ] }
              - { name: with-manual, deployments: [ { use: fine }, { use: by-hand } ] }
            """;

        private const string Bundle = """
            version: v1
            vocabulary:
              use_case: [helpdesk]
              environment: [production]
              user_role: [agent]
              classification: [public, restricted]
              safety_profile: [strict]
              control: [logging, redaction, circuit_breaker]
            rules:
              - id: restricted-needs-redaction
                when: { classification: restricted }
                require_controls: [redaction]
            """;

        private const string Schema = """
            {"type":"object","properties":{"number":{"type":"string"},"total":{"type":"number"}},"required":["number","total"]}
            """;

        public Task<RawResponse> PostAsync(string body, params string[] headers) =>
            RawHttp.SendAsync(Gateway.BaseUrl, RawHttp.Post("/v1/infer", Encoding.UTF8.GetBytes(body), [$"authorization: Bearer {Key}", .. headers]), TimeSpan.FromSeconds(30));

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            Directory.Delete(_folder, recursive: true);
            GC.SuppressFinalize(this);
        }

        private string Written(string name, string text)
        {
            var path = System.IO.Path.Combine(_folder, name);
            File.WriteAllText(path, text);
            return path;
        }
    }
}
