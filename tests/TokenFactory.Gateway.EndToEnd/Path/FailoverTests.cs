using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path;

/// <summary>Two deployments serve each model, the first before the second. Each test has models of its own, so that no
/// failure of one test lets a deployment of another rest.</summary>
public sealed class FailoverTests(FailoverTests.Backend backend) : IClassFixture<FailoverTests.Backend>
{
    private static readonly string[] _failures =
    [
        "ServerError", "ServerErrorWithoutBody", "BadGatewayOfHtml", "LoadingOfLlamaCpp", "RequestTimeout", "TooManyRequests", "FailedDependencyOfTgi",
        "GatewayTimeout", "OverloadedOfAnthropic", "FinBeforeHead", "ResetBeforeHead", "StallsBeforeHead", "StallsAfterHead", "ErrorFrameFirst", "ErrorBodyWith200",
        "EndsAfterHead", "StreamAsPlainText",
    ];

    private static readonly string[] _failingAnswers =
    [
        "AnswerWithErrorInside", "EmptyAnswer", "AnswerOfHtml", "AnswerOfHalfJson", "NoContent", "NotHttp", "ContentLengthTooLong", "AnswerFinHalfway", "AnswerStallsHalfway",
    ];

    public static TheoryData<string, bool> Failures =>
    [
        .. _failures.Select(name => new TheoryDataRow<string, bool>(name, true)),
        .. _failingAnswers.Select(name => new TheoryDataRow<string, bool>(name, false)),
    ];

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task P7_before_the_first_byte_the_next_candidate_answers(string failure, bool stream)
    {
        backend.Upstream.Next(Scripts.Get(failure));
        var (first, second) = Totals();

        var response = await backend.ChatAsync(The.ChatRequest(stream: stream));

        Assert.Equal(200, response.Status);
        Assert.Equal(Told.Answer, Told.Text(response));
        Assert.Equal("2", response.Headers["x-tf-attempts"]);
        Assert.Equal("second", response.Headers["x-tf-provider"]);
        Assert.Equal((first + 1, second + 1), Totals());
        var settlement = await backend.SettlementAsync(Told.RequestId(response));
        Told.Settled(settlement, "completed", "reported", 3, 4);
        Assert.Equal(2, settlement.GetProperty("attempts").GetInt32());
        Assert.Equal("second", settlement.GetProperty("provider").GetString());

        // The replica has answered again, so that the failures of this theory are never three in a row.
        await backend.ChatAsync(The.ChatRequest());
    }

    [Fact]
    public async Task P7_a_refused_connection_goes_to_the_next_candidate_and_costs_nothing()
    {
        var response = await backend.ChatAsync(The.ChatRequest("gone-first"));

        Assert.Equal(200, response.Status);
        Assert.Equal("2", response.Headers["x-tf-attempts"]);
        Told.Settled(await backend.SettlementAsync(Told.RequestId(response)), "completed", "reported", 3, 4);
    }

    [Theory]
    [InlineData("BadRequestOfVllm", 400)]
    [InlineData("UnauthorizedAsString", 502)]
    [InlineData("Forbidden", 502)]
    [InlineData("ModelNotFoundOfVllm", 404)]
    [InlineData("UnprocessableOfTgi", 422)]
    public async Task P7_what_is_about_the_request_or_a_credential_is_not_asked_again(string refusal, int status)
    {
        backend.Upstream.Next(Scripts.Get(refusal));
        var (first, second) = Totals();

        var response = await backend.ChatAsync(The.ChatRequest(stream: true));

        Told.Refuses(response, status);
        Assert.Equal("1", response.Headers["x-tf-attempts"]);
        Assert.Equal((first + 1, second), Totals());
    }

    [Theory]
    [InlineData("FinMidway")]
    [InlineData("ErrorFrameThenEnd")]
    [InlineData("StallsMidway")]
    public async Task P7_nothing_is_replayed_after_the_first_byte(string failure)
    {
        backend.Upstream.Next(Scripts.Get(failure));
        var (first, second) = Totals();

        var response = await backend.ChatAsync(The.ChatRequest(stream: true));

        Told.Breaks(response);
        Assert.Equal("one two", Told.Text(response));
        Assert.Equal((first + 1, second), Totals());
        await backend.ChatAsync(The.ChatRequest());
    }

    [Fact]
    public async Task P10_when_all_fail_the_last_failure_is_told_and_one_settlement_names_both_attempts()
    {
        backend.Upstream.Next(Scripts.Get("ServerError"));
        backend.Other.Next(Scripts.Get("LoadingOfLlamaCpp"));

        var response = await backend.ChatAsync(The.ChatRequest());

        Told.Refuses(response, 503);
        Assert.Equal("2", response.Headers["x-tf-attempts"]);
        var settlement = await backend.SettlementAsync(Told.RequestId(response));
        Assert.Equal(("failed", 2), (settlement.GetProperty("outcome").GetString(), settlement.GetProperty("attempts").GetInt32()));
        await backend.ChatAsync(The.ChatRequest());
    }

    [Fact]
    public async Task P10_a_deployment_that_failed_three_times_in_a_row_is_passed_over()
    {
        for (var failure = 0; failure < 3; failure++)
        {
            backend.Upstream.Next(Scripts.Get("ServerError"));
            Assert.Equal("2", (await backend.ChatAsync(The.ChatRequest("resting"))).Headers["x-tf-attempts"]);
        }

        var (first, second) = Totals();
        var response = await backend.ChatAsync(The.ChatRequest("resting"));

        Assert.Equal((200, "1"), (response.Status, response.Headers["x-tf-attempts"].ToString()));
        Assert.Equal((first, second + 1), Totals());
    }

    [Fact]
    public async Task P10_a_replica_that_refuses_connections_is_passed_over_after_three()
    {
        var attempts = new List<string>();
        for (var request = 0; request < 40; request++)
        {
            attempts.Add((await backend.ChatAsync(The.ChatRequest("half-gone"))).Headers["x-tf-attempts"].ToString());
        }

        Assert.Equal(3, attempts.Count(count => count == "2"));
        Assert.All(attempts[^5..], count => Assert.Equal("1", count));
    }

    [Fact]
    public async Task P6_no_failover_leaves_the_tenants_region()
    {
        using var client = new HttpClient { BaseAddress = backend.Gateway.BaseUrl };
        client.DefaultRequestHeaders.Add("X-API-Key", Backend.EuropeanKey);
        var (first, second) = Totals();

        // The only deployment in the region refuses connections; the other one would work.
        using var failed = await client.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), Json(The.ChatRequest("gone-first")));
        Assert.Equal(502, (int)failed.StatusCode);
        Assert.Equal("1", Assert.Single(failed.Headers.GetValues("x-tf-attempts")));

        using var denied = await client.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), Json(The.ChatRequest("american")));
        Assert.Equal(403, (int)denied.StatusCode);
        Assert.Contains("residency", (await Told.ErrorAsync(denied)).GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal((first, second), Totals());
    }

    [Fact]
    public async Task P6_a_header_narrows_the_region_and_never_widens_it()
    {
        var narrowed = await backend.ChatAsync(The.ChatRequest("gone-first"), "x-tf-region: eu");
        var widened = await RawHttp.SendAsync(
            backend.Gateway.BaseUrl, RawHttp.Post("/v1/chat/completions", The.ChatRequest("american"), $"authorization: Bearer {Backend.EuropeanKey}", "x-tf-region: us"));

        Assert.Equal("1", narrowed.Headers["x-tf-attempts"]);
        Told.Refuses(narrowed, 502);
        Told.Refuses(widened, 403);
    }

    [Fact]
    public async Task Quota_aware_a_spent_quota_is_remembered_for_as_long_as_the_backend_asked()
    {
        backend.Upstream.Next(Scripts.Get("TooManyRequests"));
        var response = await backend.ChatAsync(The.ChatRequest("quota"));
        Assert.Equal(("second", "2"), (response.Headers["x-tf-provider"].ToString(), response.Headers["x-tf-attempts"].ToString()));

        // The next ones do not ask there, and say so on record.
        var (first, second) = Totals();
        response = await backend.ChatAsync(The.ChatRequest("quota"));
        Assert.Equal(("second", "1"), (response.Headers["x-tf-provider"].ToString(), response.Headers["x-tf-attempts"].ToString()));
        Assert.Equal((first, second + 1), Totals());
        var metrics = await backend.Client.GetStringAsync(new Uri("/metrics", UriKind.Relative));
        Assert.Matches("tokenfactory_deployment_passed_over\\{[^}]*deployment=\"quota\"[^}]*reason=\"quota_spent\"[^}]*\\} 1", metrics);
        var told = await backend.Gateway.RunToEndAsync(["admin", "explain", "--request", Told.RequestId(response), "--data", backend.Gateway.DataPath]);
        Assert.Contains("passed over: quota (quota_spent)", told.Output, StringComparison.Ordinal);

        await UntilAsync(async () => (await backend.ChatAsync(The.ChatRequest("quota"))).Headers["x-tf-provider"] == "first");
    }

    [Fact]
    public async Task Quota_aware_when_no_quota_is_left_the_caller_hears_when_to_come_again_and_pays_nothing()
    {
        backend.Upstream.Next(Scripts.Get("TooManyRequests"));
        Told.Refuses(await backend.ChatAsync(The.ChatRequest("quota-alone")), 429);

        var (first, second) = Totals();
        var response = await backend.ChatAsync(The.ChatRequest("quota-alone"));

        Assert.Equal("rate_limit_exceeded", Told.Refuses(response, 429).GetProperty("code").GetString());
        Assert.InRange(int.Parse(response.Headers.RetryAfter.ToString(), System.Globalization.CultureInfo.InvariantCulture), 1, 2);
        Assert.Equal((first, second), Totals());
        Told.Settled(await backend.SettlementAsync(Told.RequestId(response)), "failed", "known_zero", 0, 0);
        await UntilAsync(async () => (await backend.ChatAsync(The.ChatRequest("quota-alone"))).Status == 200);
    }

    [Fact]
    public async Task Quota_aware_of_several_replicas_the_one_that_is_overloaded_rests_alone()
    {
        backend.Upstream.On("pool", Scripts.Get("TooManyRequestsForAnHour"));
        for (var tries = 0; (await backend.ChatAsync(The.ChatRequest("pool"))).Status == 200; tries++)
        {
            Assert.True(tries < 200, "the overloaded replica is never asked");
        }

        for (var request = 0; request < 20; request++)
        {
            Assert.Equal(200, (await backend.ChatAsync(The.ChatRequest("pool"))).Status);
        }
    }

    [Fact]
    public async Task Quality_a_deployment_that_keeps_failing_is_not_asked_until_its_circuit_lets_one_try()
    {
        for (var failure = 0; failure < 4; failure++)
        {
            backend.Upstream.Next(Scripts.Get("ServerError"));
            Told.Refuses(await backend.ChatAsync(The.ChatRequest("failing")), 502);
        }

        var (first, _) = Totals();
        var response = await backend.ChatAsync(The.ChatRequest("failing"));

        Assert.Equal("server_is_overloaded", Told.Refuses(response, 503).GetProperty("code").GetString());
        Assert.Equal("1", response.Headers.RetryAfter);
        Assert.Equal(first, Totals().First);
        await UntilAsync(async () => (await backend.ChatAsync(The.ChatRequest("failing"))).Status == 200);
        Assert.Equal(200, (await backend.ChatAsync(The.ChatRequest("failing"))).Status);
    }

    public static TheoryData<string, bool, bool> FlawedAnswers => new()
    {
        { "empty", false, true },
        { "empty", true, true },
        { "filtered", false, true },
        { "filtered", true, true },
        { "refused", false, true },
        { "cut", false, false },
        { "tool", false, false },
    };

    [Theory]
    [MemberData(nameof(FlawedAnswers))]
    public async Task Quality_answers_that_are_of_no_use_degrade_the_model_to_manual_mode_for_a_duration(string kind, bool stream, bool isLow)
    {
        var script = kind switch
        {
            "empty" => stream ? Ended("stop") : Whole("\"content\":\"\"", "stop"),
            "filtered" => stream ? Ended("content_filter", """{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"I "}}]}""") : Whole("\"content\":\"I \"", "content_filter"),
            "cut" => Whole("\"content\":\"\"", "length"),
            "tool" => Whole("""
                "content":null,"tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{}"}}]
                """, "tool_calls"),
            _ => AnswerScripts.ContentFilterOfAzure,
        };
        var model = Judged(kind, stream);
        for (var answer = 0; answer < 4; answer++)
        {
            backend.Upstream.Next(script);
            Assert.False((await backend.ChatAsync(The.ChatRequest(model, stream: stream))).Headers.ContainsKey("x-tf-degraded"));
        }

        var (asked, _) = Totals();
        var response = await backend.ChatAsync(The.ChatRequest(model));

        Assert.Equal(isLow, response.Headers.ContainsKey("x-tf-degraded"));
        Assert.Equal(asked + (isLow ? 0 : 1), Totals().First);
        await UntilAsync(async () => !(await backend.ChatAsync(The.ChatRequest(model))).Headers.ContainsKey("x-tf-degraded"));

        static Script Whole(string message, string finish) => Script.Json(200,
            $$$"""{"id":"c","object":"chat.completion","model":"fake-model","choices":[{"index":0,"message":{"role":"assistant",{{{message}}}},"finish_reason":"{{{finish}}}"}],"usage":{"prompt_tokens":3,"completion_tokens":4}}""");

        static Script Ended(string finish, params string[] before) => Script.Frames(
            [.. before, $$$"""{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"{{{finish}}}"}],"usage":{"prompt_tokens":3,"completion_tokens":4}}""", "[DONE]"]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Manual_mode_answers_when_no_backend_does_and_costs_nothing(bool stream)
    {
        backend.Upstream.Next(Scripts.Get("ServerError"));

        var response = await backend.ChatAsync(The.ChatRequest("with-a-desk", stream: stream, change: request => request["max_tokens"] = 2));

        Assert.Equal(200, response.Status);
        Assert.Equal("We answer by hand today.", Told.Text(response));
        Assert.Equal(("manual", "desk", "2"), (response.Headers["x-tf-degraded"].ToString(), response.Headers["x-tf-provider"].ToString(), response.Headers["x-tf-attempts"].ToString()));
        var settlement = await backend.SettlementAsync(Told.RequestId(response));
        Told.Settled(settlement, "completed", "known_zero", 0, 0);
        Assert.False((await backend.ChatAsync(The.ChatRequest("with-a-desk"))).Headers.ContainsKey("x-tf-degraded"));
    }

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        for (var tries = 0; !await holds(); tries++)
        {
            Assert.True(tries < 600, "it is passed over still");
            await Task.Delay(50);
        }
    }

    private (long First, long Second) Totals() => (backend.Upstream.Totals.Requests, backend.Other.Totals.Requests);

    private static ByteArrayContent Json(byte[] body) => new(body) { Headers = { ContentType = new("application/json") } };

    private static string Judged(string kind, bool stream) => $"judged-{kind}{(stream ? "-stream" : "")}";

    private static string JudgedLines(Func<string, string> item) =>
        string.Join('\n', FlawedAnswers.Select(row => $"  - {item(Judged(row.Data.Item1, row.Data.Item2))}"));

    public sealed class Backend : PathGateway
    {
        public const string EuropeanKey = "a-key-of-the-european-tenant";

        /// <summary>Port 1: nobody listens there, and nobody ever will.</summary>
        private const string Gone = "http://127.0.0.1:1/v1";

        public override string Key => "a-key-of-the-tenant-anywhere";

        protected override Dictionary<string, string?> Environment => new() { ["EUROPEAN_KEY"] = EuropeanKey, ["ANY_KEY"] = Key };

        protected override string Config => $$"""
            providers:
              - { name: first, kind: openai, region: eu-west-1 }
              - { name: second, kind: openai, region: us-east-1 }
              - { name: desk, kind: manual }
            deployments:
              - { name: desk, provider: desk, answer: We answer by hand today. }
              - { name: first, provider: first, endpoints: ["{{Upstream.BaseUrl}}"], timeouts: { first_byte: 1500ms, idle: 1500ms }, health: { path: "false" }, max_rest: 0s, circuit: { enabled: false } }
              - { name: first-resting, provider: first, endpoints: ["{{Upstream.BaseUrl}}"], health: { path: "false" } }
              - { name: gone, provider: first, endpoints: ["{{Gone}}"], health: { path: "false" } }
              - { name: half-gone, provider: first, endpoints: ["{{Gone}}", "{{Upstream.BaseUrl}}"], health: { path: "false" } }
              - { name: second, provider: second, endpoints: ["{{Other.BaseUrl}}"], health: { path: "false" }, max_rest: 0s, circuit: { enabled: false } }
              - { name: before-the-desk, provider: first, endpoints: ["{{Upstream.BaseUrl}}"], health: { path: "false" } }
              - { name: pool, provider: first, endpoints: ["{{Upstream.BaseUrl}}", "{{Other.BaseUrl}}"], health: { path: "false" } }
              - { name: quota, provider: first, endpoints: ["{{Upstream.BaseUrl}}"], health: { path: "false" } }
              - { name: quota-alone, provider: first, endpoints: ["{{Upstream.BaseUrl}}"], health: { path: "false" } }
              - { name: failing, provider: first, endpoints: ["{{Upstream.BaseUrl}}"], health: { path: "false" }, circuit: { failure_percent: 60, min_attempts: 4, window: 1m, open: 1s } }
            {{JudgedLines(name => $$"""{ name: {{name}}, provider: first, endpoints: ["{{Upstream.BaseUrl}}"], health: { path: "false" }, low_quality: { counts: [empty, refused], percent: 30, min_answers: 4, window: 1m, rest: 1s } }""")}}
            models:
            {{JudgedLines(name => $$"""{ name: {{name}}, deployments: [ { use: {{name}} }, { use: desk } ] }""")}}
              - { name: fake-model, deployments: [ { use: first, priority: 0 }, { use: second, priority: 1 } ] }
              - { name: gone-first, deployments: [ { use: gone, priority: 0 }, { use: second, priority: 1 } ] }
              - { name: half-gone, deployments: [ { use: half-gone, priority: 0 }, { use: second, priority: 1 } ] }
              - { name: resting, deployments: [ { use: first-resting, priority: 0 }, { use: second, priority: 1 } ] }
              - { name: american, deployments: [ { use: second } ] }
              - { name: pool, deployments: [ { use: pool } ] }
              - { name: quota, deployments: [ { use: quota, priority: 0 }, { use: second, priority: 1 } ] }
              - { name: quota-alone, deployments: [ { use: quota-alone } ] }
              - { name: failing, deployments: [ { use: failing } ] }
              - { name: with-a-desk, deployments: [ { use: desk }, { use: before-the-desk, priority: 1 } ] }
            tenants:
              - name: anywhere
                projects: [ { name: all } ]
                keys: [ { name: app, project: all, secret: env:ANY_KEY } ]
              - name: europe
                region: eu
                projects: [ { name: all } ]
                keys: [ { name: app, project: all, secret: env:EUROPEAN_KEY } ]
            """;
    }
}
