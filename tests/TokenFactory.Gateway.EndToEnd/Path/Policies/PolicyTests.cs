using System.Text.Json.Nodes;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path.Policies;

/// <summary>P6: the recommended routing rules of the requirements, as a bundle in force on the whole path. The first deployment is European and has a contract, the second has neither.</summary>
public sealed class PolicyTests(PolicyTests.Backend backend) : IClassFixture<PolicyTests.Backend>
{
    [Fact]
    public async Task P6_Rule_A_eu_only_data_is_served_in_the_EU_and_refused_where_it_could_not_be()
    {
        Assert.Equal("eu", Provider(await AskAsync("both", "x-tf-region: eu")));

        Denied(await AskAsync("us-only", "x-tf-region: eu"), "residency");
    }

    [Fact]
    public async Task P6_Rules_bind_the_failover_too()
    {
        backend.Upstream.Next(Scripts.Get("ServerError"));
        var asked = backend.Other.Totals.Requests;

        var response = await AskAsync("eu-first", "x-tf-classification: restricted", "x-tf-controls: redaction");

        Assert.NotEqual(200, response.Status);
        Assert.Equal(asked, backend.Other.Totals.Requests);
    }

    [Fact]
    public async Task P6_Rules_A_and_C_degrade_to_manual_mode_where_the_model_has_one()
    {
        foreach (var headers in (string[][])[["x-tf-region: eu"], ["x-tf-classification: restricted", "x-tf-controls: redaction"]])
        {
            var asked = backend.Other.Totals.Requests;
            var response = await AskAsync("us-or-desk", headers);

            Assert.Equal("desk", Provider(response));
            Assert.Equal("manual", response.Headers["x-tf-degraded"]);
            Assert.Equal(asked, backend.Other.Totals.Requests);
        }

        // What a rule denies outright stays denied.
        Denied(await AskAsync("us-or-desk", "x-tf-classification: restricted"), "control:redaction", "restricted-data");
    }

    [Fact]
    public async Task P6_A_rule_that_degrades_is_answered_by_hand_and_by_no_model()
    {
        var (eu, us) = (backend.Upstream.Totals.Requests, backend.Other.Totals.Requests);

        var response = await AskAsync("us-or-desk", "x-tf-use-case: unreviewed");

        Assert.Equal("desk", Provider(response));
        Assert.Equal("manual", response.Headers["x-tf-degraded"]);
        Denied(await AskAsync("both", "x-tf-use-case: unreviewed"), "degraded", "by-hand");
        Denied(await AskAsync("loopback", "x-tf-use-case: unreviewed"), "degraded", "by-hand");
        Assert.Equal((eu, us), (backend.Upstream.Totals.Requests, backend.Other.Totals.Requests));
    }

    [Fact]
    public async Task P6_Rule_B_a_higher_tier_has_fewer_providers()
    {
        Assert.Equal("us", Provider(await AskAsync("us-only", "x-tf-tier: tier-1")));

        Denied(await AskAsync("us-only", "x-tf-tier: tier-3"), "provider_not_allowed", "tiers-2-and-3");
    }

    [Fact]
    public async Task P6_Rule_C_restricted_data_needs_a_contract_and_redaction()
    {
        Assert.Equal("eu", Provider(await AskAsync("both", "x-tf-classification: restricted", "x-tf-controls: logging, redaction")));

        Denied(await AskAsync("both", "x-tf-classification: restricted"), "control:redaction", "restricted-data");
        Denied(await AskAsync("us-only", "x-tf-classification: restricted", "x-tf-controls: redaction"), "contract", "restricted-data");
    }

    [Fact]
    public async Task Metadata_says_the_same_as_headers_and_may_not_contradict_them()
    {
        var body = The.ChatRequest("both", change: request => request["metadata"] = JsonNode.Parse("""{"tf_region":"eu"}"""));

        Assert.Equal("eu", Provider(await backend.ChatAsync(body)));
        var contradicted = await backend.ChatAsync(body, "x-tf-region: us");
        Assert.Equal(400, contradicted.Status);
        Assert.Contains("contradictory_governance", contradicted.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_word_the_bundle_does_not_know_is_refused_by_its_own_code()
    {
        var response = await AskAsync("both", "x-tf-tier: tier-9");

        Assert.Equal(400, response.Status);
        Assert.Contains("unknown_tier", response.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task P6_A_restriction_that_cannot_be_read_is_refused_and_not_passed_over()
    {
        var response = await AskAsync("both", $"x-tf-region: {new string('e', 129)}");

        Assert.Equal(400, response.Status);
        Assert.Contains("x-tf-region", response.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Policy_test_runs_a_bundles_own_cases_and_tells_which_fails()
    {
        using var folder = new TempFolder();
        const string rules = "version: v1\nrules: [ { id: no, when: { tier: a }, deny: [tier_a] } ]\n";
        var good = folder.Write("good.yaml", rules + "tests: [ { name: a is denied, request: { tier: a }, expect: { effect: deny, reasons: [tier_a] } } ]");
        var bad = folder.Write("bad.yaml", rules + "tests: [ { name: b is denied, request: { tier: b }, expect: { effect: deny } } ]");

        var passed = await GatewayProcess.RunAsync(["policy", "test", good]);
        var failed = await GatewayProcess.RunAsync(["policy", "test", bad]);

        Assert.Equal((0, "passed  a is denied"), (passed.ExitCode, passed.Output.Split('\n')[0].TrimEnd()));
        Assert.Equal((1, "FAILED  b is denied: expected deny, and it is allowed"), (failed.ExitCode, failed.Output.Split('\n')[0].TrimEnd()));
    }

    [Fact]
    public async Task Explain_tells_before_any_request_what_the_path_then_does()
    {
        var keys = await AdminAsync("keys", "list", "--json");
        var id = JsonNode.Parse(keys.Output)!.AsArray()[0]!["id"]!.GetValue<string>();

        var served = await ExplainAsync(id, "both", "--region", "eu");
        var refused = await ExplainAsync(id, "us-only", "--tier", "tier-3");

        Assert.True(served["served"]!.GetValue<bool>(), served.ToJsonString());
        Assert.Equal(["eu"], served["candidates"]!.AsArray().Select(one => one!["deployment"]!.GetValue<string>()));

        // What the caller narrows to binds by itself, before any rule.
        Assert.Equal(("us", "residency", null), ExclusionIn(served));
        Assert.Equal(Provider(await AskAsync("both", "x-tf-region: eu")), served["candidates"]![0]!["provider"]!.GetValue<string>());

        Assert.Equal("policy_denied", refused["refusal"]!["code"]!.GetValue<string>());
        Assert.Equal(("us", "provider_not_allowed", "tiers-2-and-3"), ExclusionIn(refused));
        Assert.Contains(refused["refusal"]!["message"]!.GetValue<string>(), (await AskAsync("us-only", "x-tf-tier: tier-3")).Text, StringComparison.Ordinal);

        var text = await AdminAsync("explain", "--key", id, "--model", "both", "--region", "eu");
        Assert.Contains("rules that match: eu-only", text.Output, StringComparison.Ordinal);
        var unknown = await AdminAsync("explain", "--key", "nobody", "--model", "both");
        Assert.Equal(1, unknown.ExitCode);
        Assert.Contains("There is no key with the id 'nobody'", unknown.Error, StringComparison.Ordinal);
    }

    private static (string Deployment, string Reason, string? Rule) ExclusionIn(JsonNode explanation)
    {
        var one = Assert.Single(explanation["exclusions"]!.AsArray())!;
        return (one["deployment"]!.GetValue<string>(), one["reason"]!.GetValue<string>(), one["rule"]?.GetValue<string>());
    }

    private async Task<JsonNode> ExplainAsync(string key, string model, params string[] more)
    {
        var result = await AdminAsync(["explain", "--key", key, "--model", model, "--json", .. more]);
        Assert.True(result.ExitCode == 0, result.ToString());
        return JsonNode.Parse(result.Output)!;
    }

    private Task<CommandResult> AdminAsync(params string[] arguments)
    {
        var data = backend.Gateway.DataPath;
        return backend.Gateway.RunToEndAsync(["admin", .. arguments, "--data", data, "--config", System.IO.Path.Combine(data, "gateway.yaml")]);
    }

    private static string Provider(RawResponse response)
    {
        Assert.True(response.Status == 200, response.Text);
        Assert.NotEmpty(response.Headers["x-tf-policy-decision"].ToString());
        return response.Headers["x-tf-provider"].ToString();
    }

    private static void Denied(RawResponse response, string reason, string? rule = null)
    {
        Assert.Equal(403, response.Status);
        Assert.Contains("policy_denied", response.Text, StringComparison.Ordinal);
        Assert.Contains(reason, response.Text, StringComparison.Ordinal);
        Assert.Contains(rule ?? "", response.Text, StringComparison.Ordinal);
        Assert.NotEmpty(response.Headers["x-tf-policy-decision"].ToString());
    }

    private Task<RawResponse> AskAsync(string model, params string[] headers) => backend.ChatAsync(The.ChatRequest(model), headers);

    public sealed class Backend : PathGateway
    {
        private readonly TempFolder _folder = new();

        protected override string Config => $$"""
            policy: { bundle: "{{Rules()}}" }
            providers:
              - { name: eu, kind: openai, region: eu-west-1, contract: { dpa: true } }
              - { name: us, kind: openai, region: us-east-1 }
              - { name: desk, kind: manual }
            deployments:
              - { name: desk, provider: desk, answer: We answer by hand today. }
              - { name: eu, provider: eu, endpoints: ["{{Upstream.BaseUrl}}"], health: { path: "false" } }
              - { name: us, provider: us, endpoints: ["{{Other.BaseUrl}}"], health: { path: "false" } }
            models:
              - { name: fake-model, deployments: [ { use: eu } ] }
              - { name: both, deployments: [ { use: us }, { use: eu, priority: 1 } ] }
              - { name: eu-first, deployments: [ { use: eu }, { use: us, priority: 1 } ] }
              - { name: us-only, deployments: [ { use: us } ] }
              - { name: us-or-desk, deployments: [ { use: us }, { use: desk } ] }
            """;

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            _folder.Dispose();
        }

        private string Rules() => _folder.Write("rules.yaml", """
            version: v1
            vocabulary: { tier: [tier-1, tier-2, tier-3] }
            rules:
              - { id: eu-only, when: { region: eu }, restrict: { regions: [eu] } }
              - { id: by-hand, when: { use_case: unreviewed }, degrade: true }
              - { id: tiers-2-and-3, when: { tier: [tier-2, tier-3] }, restrict: { providers: [eu] } }
              - { id: restricted-data, when: { classification: restricted }, restrict: { contract: [dpa] }, require_controls: [redaction] }
            """);
    }
}
