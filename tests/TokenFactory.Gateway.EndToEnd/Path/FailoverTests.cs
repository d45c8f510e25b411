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

    private (long First, long Second) Totals() => (backend.Upstream.Totals.Requests, backend.Other.Totals.Requests);

    private static ByteArrayContent Json(byte[] body) => new(body) { Headers = { ContentType = new("application/json") } };

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
            deployments:
              - { name: first, provider: first, endpoints: ["{{Upstream.BaseUrl}}"], timeouts: { first_byte: 1500ms, idle: 1500ms }, health: { path: "false" } }
              - { name: first-resting, provider: first, endpoints: ["{{Upstream.BaseUrl}}"], health: { path: "false" } }
              - { name: gone, provider: first, endpoints: ["{{Gone}}"], health: { path: "false" } }
              - { name: half-gone, provider: first, endpoints: ["{{Gone}}", "{{Upstream.BaseUrl}}"], health: { path: "false" } }
              - { name: second, provider: second, endpoints: ["{{Other.BaseUrl}}"], health: { path: "false" } }
            models:
              - { name: fake-model, deployments: [ { use: first, priority: 0 }, { use: second, priority: 1 } ] }
              - { name: gone-first, deployments: [ { use: gone, priority: 0 }, { use: second, priority: 1 } ] }
              - { name: half-gone, deployments: [ { use: half-gone, priority: 0 }, { use: second, priority: 1 } ] }
              - { name: resting, deployments: [ { use: first-resting, priority: 0 }, { use: second, priority: 1 } ] }
              - { name: american, deployments: [ { use: second } ] }
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
