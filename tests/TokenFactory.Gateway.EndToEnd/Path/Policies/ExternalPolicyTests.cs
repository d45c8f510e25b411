using System.Text.Json;
using System.Text.Json.Nodes;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Policies;
using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path.Policies;

/// <summary>A decision endpoint beside the rules, on the whole path: it narrows and never widens, and without a clear answer in time nothing is served.</summary>
public sealed class ExternalPolicyTests(ExternalPolicyTests.Backend backend) : IClassFixture<ExternalPolicyTests.Backend>, IDisposable
{
    public void Dispose() => backend.Endpoint.Reset();

    [Fact]
    public async Task External_yes_serves_and_is_on_record_with_its_decision()
    {
        backend.Endpoint.Answer = _ => """{"result":true,"decision_id":"d-1"}""";

        var response = await AskAsync("both");

        Assert.Equal((200, "us"), (response.Status, response.Headers["x-tf-provider"].ToString()));
        Assert.Equal($$"""{"endpoint":"http://127.0.0.1:{{backend.Endpoint.Url.Port}}","outcome":"allowed","decision_id":"d-1"}""", await RecordedAsync(response));
        var settled = (await backend.EventsAsync(lines => lines.Any(line => IsOf(line, response)))).Single(line => IsOf(line, response));
        Assert.Equal("allowed", settled.GetProperty("data").GetProperty("policy").GetProperty("external").GetProperty("outcome").GetString());
    }

    [Fact]
    public async Task P8_The_endpoint_is_told_the_facts_and_neither_prompt_nor_key()
    {
        var body = The.ChatRequest("both", text: "a secret prompt", change: request => request["metadata"] = JsonNode.Parse("""{"tf_use_case":"triage"}"""));
        var response = await backend.ChatAsync(body, "x-tf-classification: internal", "x-tf-user-role: analyst", "x-tf-environment: staging", "x-tf-controls: logging", "cookie: caller-cookie", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "baggage: caller-baggage");

        Assert.Equal(200, response.Status);
        var question = backend.Endpoint.Questions[^1]["input"]!.AsObject();
        var told = question.DeepClone().AsObject();
        Assert.Equal(response.Headers["x-request-id"].ToString(), told["request_id"]!.GetValue<string>());
        Assert.Equal(response.Headers["x-tf-policy-decision"].ToString(), told["policy_decision_id"]!.GetValue<string>());
        Assert.All((string[])["request_id", "policy_decision_id"], name => told.Remove(name));
        Assert.Equal(
            """{"tenant":"acme","project":"search","key_id":"acmeapp1","tier":"gold","residency":null,"operation":"chat","stream":false,"model":"both","route":"both","declared":{"use_case":"triage","environment":"staging","user_role":"analyst","classification":"internal","controls":["logging"]},"candidates":[{"deployment":"us","provider":"us","region":"us-east-1","model":"both","contract":{}},{"deployment":"eu","provider":"eu","region":"eu-west-1","model":"llama-8b","contract":{"dpa":true}}]}""",
            told.ToJsonString());
        var everything = question.ToJsonString() + string.Join('\n', backend.Endpoint.Headers.Select(header => $"{header.Key}: {header.Value}"));
        Assert.All((string[])["secret prompt", backend.Key, "caller-cookie", "caller-baggage", "0af7651916cd43dd8448eb211c80319c"], secret => Assert.DoesNotContain(secret, everything, StringComparison.Ordinal));
        Assert.Equal((Backend.Credential, Backend.Credential), (backend.Endpoint.Headers["authorization"]["Bearer ".Length..], backend.Endpoint.Headers["x-opa-token"]));
    }

    [Fact]
    public async Task External_no_refuses_with_its_codes_on_record()
    {
        var asked = backend.Other.Totals.Requests;
        backend.Endpoint.Answer = _ => """{"result":{"allow":false,"deny":["NO_DPA"],"decision_id":"d-2"}}""";
        var denied = await AskAsync("both");
        backend.Endpoint.Answer = _ => "{}";
        var undefined = await AskAsync("both");

        Assert.Equal((403, 403), (denied.Status, undefined.Status));
        Assert.Contains("policy_denied", denied.Text, StringComparison.Ordinal);
        Assert.Contains("NO_DPA", denied.Text, StringComparison.Ordinal);
        Assert.Contains("external_undefined", undefined.Text, StringComparison.Ordinal);
        Assert.Contains("\"outcome\":\"denied\",\"decision_id\":\"d-2\",\"reasons\":[\"NO_DPA\"]", await RecordedAsync(denied), StringComparison.Ordinal);
        Assert.Contains("\"outcome\":\"undefined\"", await RecordedAsync(undefined), StringComparison.Ordinal);
        Assert.Equal(asked, backend.Other.Totals.Requests);
    }

    [Fact]
    public async Task P6_External_restrictions_bind_the_first_choice_and_the_failover()
    {
        backend.Endpoint.Answer = _ => """{"result":{"allow":true,"restrict":{"regions":["eu"]}}}""";
        var asked = backend.Other.Totals.Requests;

        var served = await AskAsync("both");
        backend.Upstream.Next(Scripts.Get("ServerError"));
        var failed = await AskAsync("both");
        var nowhere = await AskAsync("us-only");

        Assert.Equal("eu", served.Headers["x-tf-provider"].ToString());
        Assert.NotEqual(200, failed.Status);
        Assert.Equal(403, nowhere.Status);
        Assert.Contains("external_region", nowhere.Text, StringComparison.Ordinal);
        Assert.Equal(asked, backend.Other.Totals.Requests);
        var told = await AdminAsync("explain", "--request", served.Headers["x-request-id"].ToString());
        Assert.Contains("restricted, its decision -; only regions eu", told.Output, StringComparison.Ordinal);
        Assert.Matches("us +external_region +-", told.Output);
    }

    [Fact]
    public async Task P6_External_decisions_never_widen_what_the_rules_left()
    {
        backend.Endpoint.Answer = _ => """{"result":{"allow":true,"restrict":{"providers":["us","eu"]}}}""";
        var questions = backend.Endpoint.Questions.Count;

        var narrowed = await AskAsync("both", "x-tf-region: eu");
        var denied = await AskAsync("both", "x-tf-use-case: forbidden");

        Assert.Equal("eu", narrowed.Headers["x-tf-provider"].ToString());
        Assert.Equal(["eu"], backend.Endpoint.Questions[^1]["input"]!["candidates"]!.AsArray().Select(one => one!["deployment"]!.GetValue<string>()));
        Assert.Equal(403, denied.Status);
        Assert.Equal(questions + 1, backend.Endpoint.Questions.Count);
    }

    [Theory]
    [InlineData("dead", "unreachable")]
    [InlineData("slow", "timed_out")]
    [InlineData("garbage", "unreadable")]
    [InlineData("oversized", "too_large")]
    [InlineData("failing", "bad_status")]
    [InlineData("redirecting", "bad_status")]
    public async Task P4_Without_a_clear_answer_in_time_nothing_is_served_and_that_is_on_record(string trouble, string outcome)
    {
        await using var elsewhere = await FakeDecisionEndpoint.StartAsync();
        var (eu, us) = (backend.Upstream.Totals.Requests, backend.Other.Totals.Requests);
        var endpoint = backend.Endpoint;
        switch (trouble)
        {
            case "dead":
                endpoint.IsDown = true;
                break;
            case "slow":
                endpoint.Silence = new TaskCompletionSource();
                break;
            case "garbage":
                endpoint.Answer = _ => "<html>yes</html>";
                break;
            case "oversized":
                endpoint.Answer = _ => $$"""{"result":true,"padding":"{{new string('x', 70_000)}}"}""";
                break;
            case "failing":
                endpoint.Status = 500;
                break;
            default:
                (endpoint.Status, endpoint.Location) = (307, elsewhere.Url.AbsoluteUri);
                break;
        }

        var response = await AskAsync("both");
        endpoint.Silence?.SetResult();

        Assert.Equal(503, response.Status);
        Assert.Equal("2", response.Headers["retry-after"].ToString());
        Assert.Contains("policy_unavailable", response.Text, StringComparison.Ordinal);
        Assert.Contains($"\"outcome\":\"{outcome}\"", await RecordedAsync(response), StringComparison.Ordinal);
        Assert.Equal((eu, us), (backend.Upstream.Totals.Requests, backend.Other.Totals.Requests));
        Assert.Empty(elsewhere.Questions);
        Assert.Contains($$"""tokenfactory_policy_external_answers_total{outcome="{{outcome}}"}""", await backend.Client.GetStringAsync(new Uri("/metrics", UriKind.Relative)), StringComparison.Ordinal);

        endpoint.Reset();
        Assert.Equal(200, (await AskAsync("both")).Status);
    }

    [Fact]
    public async Task Explain_says_that_a_real_request_would_ask_the_endpoint_too_and_does_not_ask_it()
    {
        var questions = backend.Endpoint.Questions.Count;

        var told = await AdminAsync("explain", "--key", "acmeapp1", "--model", "both");

        Assert.Contains($"would also ask http://127.0.0.1:{backend.Endpoint.Url.Port}, which was not asked now", told.Output, StringComparison.Ordinal);
        Assert.Equal(questions, backend.Endpoint.Questions.Count);
    }

    private static bool IsOf(JsonElement line, RawResponse response) => line.GetProperty("id").GetString() == response.Headers["x-request-id"].ToString();

    private async Task<string> RecordedAsync(RawResponse response)
    {
        var told = await AdminAsync("explain", "--json", "--request", response.Headers["x-request-id"].ToString());
        Assert.True(told.ExitCode == 0, told.ToString());
        return JsonNode.Parse(told.Output)!["record"]!["data"]!["policy"]!["external"]!.ToJsonString();
    }

    private Task<CommandResult> AdminAsync(params string[] arguments)
    {
        var data = backend.Gateway.DataPath;
        return backend.Gateway.RunToEndAsync(["admin", .. arguments, "--data", data, "--config", System.IO.Path.Combine(data, "gateway.yaml")]);
    }

    private Task<RawResponse> AskAsync(string model, params string[] headers) => backend.ChatAsync(The.ChatRequest(model), headers);

    public sealed class Backend : PathGateway
    {
        public const string Credential = "the-credential-of-the-decision-endpoint";

        private readonly TempFolder _folder = new();

        public FakeDecisionEndpoint Endpoint { get; private set; } = null!;

        public override string Key => "app-key-for-the-external-policy-tests";

        protected override Dictionary<string, string?> Environment => new() { ["APP_KEY"] = Key, ["OPA_TOKEN"] = Credential };

        protected override string Config => $$"""
            policy:
              bundle: "{{_folder.Write("rules.yaml", "version: v1\nrules: [ { id: forbidden, when: { use_case: forbidden }, deny: [forbidden] } ]")}}"
              external: { url: "{{Endpoint.Url}}", timeout: 2s, credential: env:OPA_TOKEN, headers: { X-Opa-Token: env:OPA_TOKEN }, on_error: deny }
            providers:
              - { name: eu, kind: openai, region: eu-west-1, contract: { dpa: true } }
              - { name: us, kind: openai, region: us-east-1 }
            deployments:
              - { name: eu, provider: eu, model: llama-8b, endpoints: ["{{Upstream.BaseUrl}}"], health: { path: "false" } }
              - { name: us, provider: us, endpoints: ["{{Other.BaseUrl}}"], health: { path: "false" } }
            models:
              - { name: fake-model, deployments: [ { use: eu } ] }
              - { name: both, deployments: [ { use: us }, { use: eu, priority: 1 } ] }
              - { name: us-only, deployments: [ { use: us } ] }
            tiers: [ { name: gold } ]
            tenants:
              - name: acme
                tier: gold
                projects: [ { name: search } ]
                keys: [ { name: app, id: acmeapp1, project: search, secret: env:APP_KEY } ]
            """;

        public override async ValueTask InitializeAsync()
        {
            Endpoint = await FakeDecisionEndpoint.StartAsync();
            await base.InitializeAsync();
        }

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            await Endpoint.DisposeAsync();
            _folder.Dispose();
        }
    }
}
