using System.Text.Json;
using System.Text.Json.Nodes;
using TokenFactory.Gateway.EndToEnd.Faults;
using TokenFactory.Gateway.EndToEnd.Path;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Audit;

/// <summary>What an auditor asks months later, of the real process: which provider, where, under which rules, and was any of it edited.</summary>
public sealed class AuditTests(AuditTests.Backend backend) : IClassFixture<AuditTests.Backend>
{
    [Fact]
    public async Task P11_An_auditors_walk_from_a_request_id_to_its_proof_and_an_edited_row_is_found()
    {
        backend.Upstream.Next(Scripts.Get("ServerError"));
        var response = await AskAsync("both", "x-tf-region: eu", "x-tf-classification: internal");
        Assert.Equal("eu-2", response.Headers["x-tf-provider"].ToString());
        var id = response.Headers["x-request-id"].ToString();
        await backend.SettlementAsync(id);

        // Which provider, where, under which rules, and why not the first.
        var told = await RunAsync("admin", "explain", "--request", id);
        Assert.True(told.ExitCode == 0, told.ToString());
        Assert.Contains("and said region eu, classification internal", told.Output, StringComparison.Ordinal);
        Assert.Contains("policy bundle v7", told.Output, StringComparison.Ordinal);
        Assert.Contains("rules that matched: eu-only; regions that had to cover it: eu", told.Output, StringComparison.Ordinal);
        Assert.Contains("ran on second of eu-2 in eu-north-1", told.Output, StringComparison.Ordinal);
        Assert.Matches("first +eu-1 +eu-west-1 +500 +[a-z_]+", told.Output);
        Assert.Matches("elsewhere +residency +-", told.Output);
        Assert.Contains("which is that of these words after the record before it", told.Output, StringComparison.Ordinal);

        // The evidence as a file that proves itself.
        using var folder = new TempFolder();
        var file = System.IO.Path.Combine(folder.Path, "november.jsonl");
        Assert.Equal(0, (await RunAsync("audit", "export", "--out", file)).ExitCode);
        var line = (await File.ReadAllLinesAsync(file)).Single(one => one.Contains(id, StringComparison.Ordinal));
        Assert.Equal("eu-only", JsonNode.Parse(line)!["record"]!["data"]!["policy"]!["rules"]![0]!.GetValue<string>());
        var whole = await RunAsync("audit", "verify", "--file", file, "--manifest", file + ".manifest.json");
        Assert.True(whole.ExitCode == 0, whole.ToString());
        await File.WriteAllTextAsync(file, (await File.ReadAllTextAsync(file)).Replace("\"region\":\"eu-north-1\"", "\"region\":\"us-north-1\"", StringComparison.Ordinal));
        var edited = await RunAsync("audit", "verify", "--file", file, "--manifest", file + ".manifest.json");
        Assert.Equal(1, edited.ExitCode);
        Assert.Contains(id, edited.Output, StringComparison.Ordinal);

        // The trail itself, while the gateway serves: whole, and then with one row edited.
        var clean = await RunAsync("audit", "verify");
        Assert.True(clean.ExitCode == 0, clean.ToString());
        Assert.Contains("none was edited, removed or moved", clean.Output, StringComparison.Ordinal);
        await EditAsync(id, "eu-north-1", "us-north-1");
        var found = await RunAsync("audit", "verify");
        var explained = await RunAsync("admin", "explain", "--request", id);
        await EditAsync(id, "us-north-1", "eu-north-1");
        Assert.Equal(1, found.ExitCode);
        Assert.Matches($"{id} +its hash is not", found.Output);
        Assert.Contains("WHICH IS NOT", explained.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("audit", "verify", "--manifest", file + ".manifest.json")).ExitCode);
    }

    [Fact]
    public async Task P6_A_denied_request_is_on_record_before_its_caller_is_told()
    {
        var response = await AskAsync("elsewhere-only", "x-tf-region: eu");

        Assert.Equal(403, response.Status);
        var told = await RunAsync("admin", "explain", "--request", response.Headers["x-request-id"].ToString());
        Assert.True(told.ExitCode == 0, told.ToString());
        Assert.Contains("refused with 403 policy_denied: The policy in force does not allow this request: residency", told.Output, StringComparison.Ordinal);
        Assert.Matches("elsewhere +residency", told.Output);

        // Sinks are told too, with the bytes that the record's hash is over.
        var id = response.Headers["x-request-id"].ToString();
        var denied = (await backend.EventsAsync(lines => lines.Any(IsIt))).Single(IsIt);
        Assert.Equal("tokenfactory.audit.v1", denied.GetProperty("type").GetString());
        var recorded = JsonNode.Parse((await RunAsync("admin", "explain", "--json", "--request", id)).Output)!["record"]!.ToJsonString();
        Assert.Equal(recorded, JsonNode.Parse(denied.GetProperty("data").GetRawText())!.ToJsonString());
        bool IsIt(JsonElement line) => line.GetProperty("id").GetString() == id;

        var unknown = await AskAsync("both", "x-tf-tier: platinum");
        Assert.Equal(400, unknown.Status);
        Assert.Contains("refused with 400", (await RunAsync("admin", "explain", "--request", unknown.Headers["x-request-id"].ToString())).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task P9_A_key_reads_the_records_of_its_own_project_and_needs_the_scope()
    {
        var id = (await AskAsync("both")).Headers["x-request-id"].ToString();
        await backend.SettlementAsync(id);

        var page = await GetAsync("/v1/audit?limit=1000", Backend.Auditor);
        Assert.Contains(page["data"]!.AsArray(), one => one!["record"]!["id"]!.GetValue<string>() == id);
        Assert.Equal("completed", (await GetAsync($"/v1/audit/{id}", Backend.Auditor))["record"]!["data"]!["outcome"]!.GetValue<string>());
        Assert.DoesNotContain("sequence", page.ToJsonString(), StringComparison.Ordinal);
        var one = await GetAsync("/v1/audit?limit=1", Backend.Auditor);
        Assert.True(one["has_more"]!.GetValue<bool>());
        Assert.NotEqual(one["data"]![0]!["record"]!["id"]!.GetValue<string>(), (await GetAsync($"/v1/audit?limit=1&after={one["next"]}", Backend.Auditor))["data"]![0]!["record"]!["id"]!.GetValue<string>());

        Assert.Equal("insufficient_permissions", (await GetAsync("/v1/audit", Backend.App, 403))["error"]!["code"]!.GetValue<string>());
        Assert.Empty((await GetAsync("/v1/audit", Backend.Stranger))["data"]!.AsArray());
        Assert.Equal("not_found", (await GetAsync($"/v1/audit/{id}", Backend.Stranger, 404))["error"]!["code"]!.GetValue<string>());
        Assert.Equal("not_found", (await GetAsync($"/v1/audit/{id}", Backend.Neighbour, 404))["error"]!["code"]!.GetValue<string>());
        Assert.Equal("after", (await GetAsync("/v1/audit?after=yesterday", Backend.Auditor, 400))["error"]!["param"]!.GetValue<string>());
    }

    private async Task<JsonNode> GetAsync(string path, string key, int status = 200)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        request.Headers.Authorization = new("Bearer", key);
        using var response = await backend.Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == status, text);
        return JsonNode.Parse(text)!;
    }

    private async Task EditAsync(string id, string from, string to)
    {
        var record = Guid.Parse(id).ToByteArray(bigEndian: true);
        var changed = await new Books(backend.Gateway.DataPath).TamperAsync(
            $"UPDATE audit_records SET body = CAST(replace(CAST(body AS TEXT), {from}, {to}) AS BLOB) WHERE record_id = {record}");
        Assert.Equal(1, changed);
    }

    private Task<CommandResult> RunAsync(params string[] arguments)
    {
        var data = backend.Gateway.DataPath;
        return backend.Gateway.RunToEndAsync([.. arguments, "--data", data, "--config", System.IO.Path.Combine(data, "gateway.yaml")]);
    }

    private Task<RawResponse> AskAsync(string model, params string[] headers) => backend.ChatAsync(The.ChatRequest(model), headers);

    public sealed class Backend : PathGateway
    {
        public const string App = "app-key-for-the-audit-tests";
        public const string Auditor = "auditor-key-for-the-audit-tests";
        public const string Neighbour = "neighbour-key-for-the-audit-tests";
        public const string Stranger = "stranger-key-for-the-audit-tests";

        private readonly TempFolder _folder = new();

        public override string Key => App;

        protected override Dictionary<string, string?> Environment => new() { ["AUDIT_APP"] = App, ["AUDIT_AUDITOR"] = Auditor, ["AUDIT_NEIGHBOUR"] = Neighbour, ["AUDIT_STRANGER"] = Stranger };

        protected override string Config => $$"""
            policy: { bundle: "{{Rules()}}" }
            providers:
              - { name: eu-1, kind: openai, region: eu-west-1 }
              - { name: eu-2, kind: openai, region: eu-north-1 }
              - { name: us, kind: openai, region: us-east-1 }
            deployments:
              - { name: first, provider: eu-1, endpoints: ["{{Upstream.BaseUrl}}"], health: { path: "false" } }
              - { name: second, provider: eu-2, endpoints: ["{{Other.BaseUrl}}"], health: { path: "false" } }
              - { name: elsewhere, provider: us, endpoints: ["{{Other.BaseUrl}}"], health: { path: "false" } }
            models:
              - { name: fake-model, deployments: [ { use: first } ] }
              - { name: both, deployments: [ { use: elsewhere }, { use: first, priority: 1 }, { use: second, priority: 2 } ] }
              - { name: elsewhere-only, deployments: [ { use: elsewhere } ] }
            tenants:
              - name: acme
                projects: [ { name: search }, { name: other } ]
                keys:
                  - { name: app, project: search, secret: env:AUDIT_APP }
                  - { name: auditor, project: search, secret: env:AUDIT_AUDITOR, scopes: ["audit:read"] }
                  - { name: neighbour, project: other, secret: env:AUDIT_NEIGHBOUR, scopes: ["audit:read"] }
              - name: globex
                projects: [ { name: search } ]
                keys: [ { name: stranger, project: search, secret: env:AUDIT_STRANGER, scopes: ["audit:read"] } ]
            """;

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            _folder.Dispose();
        }

        private string Rules() => _folder.Write("rules.yaml", """
            version: v7
            vocabulary: { tier: [gold] }
            rules: [ { id: eu-only, when: { region: eu }, restrict: { regions: [eu] } } ]
            """);
    }
}
