using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using TokenFactory.Gateway.EndToEnd.Path;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Registration;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Registration;

/// <summary>What the file does not say is registered while the gateway serves, by hand or by a control plane, and is in force within a moment.</summary>
public sealed class RegistryTests : PathGateway
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private FakeControlPlane _plane = null!;

    protected override string Config => $$"""
        providers:
          - { name: file-provider, kind: openai, region: eu-west-1, credential: env:FILE_KEY }
        deployments:
          - { name: from-file, provider: file-provider, endpoints: ["{{Upstream.BaseUrl}}"] , health: { path: false } }
        models:
          - { name: gpt-4o-mini, deployments: [ { use: from-file } ] }
        registry:
          url: "{{_plane.Url}}"
          credential: env:CONTROL_PLANE
          poll: 100ms
          secrets: [env:REGISTERED_KEY]
          allow_addresses: [127.0.0.0/8]
          allow_http_endpoints: true
        """;

    protected override Dictionary<string, string?> Environment => new()
    {
        ["FILE_KEY"] = "of-the-file",
        ["REGISTERED_KEY"] = "of-the-registry",
        ["CONTROL_PLANE"] = FakeControlPlane.Credential,
    };

    public override async ValueTask InitializeAsync()
    {
        _plane = await FakeControlPlane.StartAsync();
        await base.InitializeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _plane.DisposeAsync();
    }

    [Fact]
    public async Task What_an_operator_registers_serves_without_a_restart_outlives_one_and_its_site_is_in_the_evidence()
    {
        Assert.Equal(404, await StatusAsync("registered"));
        await ApplyAsync(Sections(Other.BaseUrl, """, zone: eu-north-1b, cluster: gpu-7, node_pool: h200, ownership: own"""));
        await UntilAsync("registered", 200);

        var asked = Other.Requests[^1];
        Assert.Equal("Bearer of-the-registry", asked.Headers["authorization"].ToString());
        var answer = await ChatAsync(The.ChatRequest("registered"));
        var id = answer.Headers["x-request-id"].ToString();
        var usage = (await EventsAsync(lines => lines.Any(IsIt))).Single(IsIt);
        var site = usage.GetProperty("data").GetProperty("site");
        Assert.Equal(
            """{"zone":"eu-north-1b","cluster":"gpu-7","node_pool":"h200","ownership":"own"}""",
            JsonSerializer.Serialize(site));
        var record = JsonNode.Parse((await RunAsync("admin", "explain", "--json", "--request", id)).Output)!;
        Assert.Equal("gpu-7", record["record"]!["data"]!["site"]!["cluster"]!.GetValue<string>());
        bool IsIt(JsonElement line) => line.GetProperty("data").TryGetProperty("request_id", out var request) && request.GetString() == id;

        Assert.Equal(0, await Gateway.StopAsync());
        await Gateway.StartAgainAsync();
        Assert.Equal(200, await StatusAsync("registered"));
    }

    [Fact]
    public async Task A_deployment_is_disabled_and_enabled_again_and_what_something_refers_to_is_not_removed()
    {
        await ApplyAsync(Sections(Other.BaseUrl));
        await UntilAsync("registered", 200);

        Assert.Equal(0, (await RunAsync("admin", "deployments", "disable", "other")).ExitCode);
        await UntilAsync("registered", 503);
        var list = await RunAsync("admin", "deployments", "list");
        Assert.Matches(@"other +registered-provider .* disabled .* registry \(revision \d+\)", list.Output);
        Assert.Matches(@"from-file +file-provider .* enabled .* file", list.Output);
        Assert.Equal(0, (await RunAsync("admin", "deployments", "enable", "other")).ExitCode);
        await UntilAsync("registered", 200);

        var refused = await RunAsync("admin", "deployments", "remove", "other");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("there is no deployment named 'other'", refused.Error, StringComparison.Ordinal);
        Assert.Contains("registry: model 'registered'", refused.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("admin", "models", "remove", "registered")).ExitCode);
        Assert.Equal(0, (await RunAsync("admin", "deployments", "remove", "other")).ExitCode);
        await UntilAsync("registered", 404);
        var history = await RunAsync("admin", "deployments", "history", "other");
        Assert.Contains("(removed)", history.Output, StringComparison.Ordinal);
        Assert.Contains("\"enabled\":false", history.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task P12_What_cannot_be_run_is_not_registered_and_every_mistake_is_told()
    {
        var mistaken = await PutAsync("deployments", """
            - { name: a, provider: nobody, endpoints: [ftp://x] }
            - { name: from-file, provider: file-provider, endpoints: [http://10.0.0.5/v1] }
            """);
        Assert.Equal(1, mistaken.ExitCode);
        Assert.Contains("registry: deployment 'a': deployments[1].provider: there is no provider named 'nobody'", mistaken.Error, StringComparison.Ordinal);
        Assert.Contains("deployments[1].endpoints[0]", mistaken.Error, StringComparison.Ordinal);
        Assert.Contains("there is a deployment named 'from-file' already", mistaken.Error, StringComparison.Ordinal);

        // Nor is the credential of the file's providers.
        Assert.Contains("'file-provider' is a provider of the file", mistaken.Error, StringComparison.Ordinal);

        // The secrets of this process are not for whoever can write to the registry.
        var thief = await PutAsync("providers", "{ name: thief, kind: openai, credential: env:FILE_KEY }");
        Assert.Equal(1, thief.ExitCode);
        Assert.Contains("registry.secrets", thief.Error, StringComparison.Ordinal);

        var foreign = await RunAsync("admin", "deployments", "remove", "from-file");
        Assert.Contains("changed in the file", foreign.Error, StringComparison.Ordinal);
        Assert.Contains("write a list", (await RunInputAsync("deployments: 5", "admin", "registry", "apply", "-")).Error, StringComparison.Ordinal);
        Assert.Contains("belongs in the configuration file", (await RunInputAsync("tenants: []", "admin", "registry", "apply", "-")).Error, StringComparison.Ordinal);
        Assert.DoesNotContain("registry", (await RunAsync("admin", "deployments", "list", "--json")).Output, StringComparison.Ordinal);
        Assert.Equal(200, await StatusAsync("gpt-4o-mini"));
    }

    [Fact]
    public async Task A_control_plane_registers_over_http_whole_or_not_at_all_and_its_silence_changes_nothing()
    {
        _plane.Says = Feed(3, Other.BaseUrl.ToString());
        await UntilAsync("theirs", 200);
        Assert.Contains(304, await SoonAsync(() => _plane.Answered, answered => answered.Contains(304)));

        // An operator does not change what is theirs.
        Assert.Contains("the control plane's", (await RunAsync("admin", "models", "remove", "theirs")).Error, StringComparison.Ordinal);

        // An older version, a mistaken one, one that forgets a section, none at all: what was taken stays.
        foreach (var (says, reason) in (IEnumerable<(string, string)>)
        [
            (Feed(2, Other.BaseUrl.ToString(), name: "older"), "older_version"),
            (Feed(4, "ftp://nowhere", name: "mistaken"), "mistaken"),
            ("""{"version":5,"providers":[],"models":[]}""", "malformed"),
            ("[]", "malformed"),
        ])
        {
            var before = await MetricAsync(reason);
            _plane.Says = says;
            await SoonAsync(() => MetricAsync(reason).Result, count => count > before);
            Assert.Equal(200, await StatusAsync("theirs"));
        }

        _plane.Status = 500;
        await SoonAsync(() => MetricAsync("bad_status").Result, count => count > 0);
        Assert.Equal(200, await StatusAsync("theirs"));

        // And what it takes back is gone, for it said so.
        _plane.Status = 200;
        _plane.Says = """{"version":6,"providers":[],"deployments":[],"models":[]}""";
        await UntilAsync("theirs", 404);
        Assert.Contains("control plane 127.0.0.1", (await RunAsync("admin", "models", "history", "theirs")).Output, StringComparison.Ordinal);
    }

    private static string Sections(Uri endpoint, string more = "") => $$"""
        providers:
          - { name: registered-provider, kind: openai, region: eu-north-1, credential: "env:REGISTERED_KEY" }
        deployments:
          - { name: other, provider: registered-provider, endpoints: ["{{endpoint}}"], usd_per_million: { input: 0.15, output: 0.60 }, health: { path: false }{{more}} }
        models:
          - { name: registered, deployments: [ { use: other } ] }
        """;

    private static string Feed(long version, string endpoint, string name = "theirs") => $$"""
        {
          "version": {{version}},
          "providers": [ { "name": "their-provider", "kind": "openai" } ],
          "deployments": [ { "name": "their-deployment", "provider": "their-provider", "endpoints": ["{{endpoint}}"], "health": { "path": false } } ],
          "models": [ { "name": "{{name}}", "deployments": [ { "use": "their-deployment" } ] } ]
        }
        """;

    private async Task ApplyAsync(string yaml)
    {
        var applied = await RunInputAsync(yaml, "admin", "registry", "apply", "-");
        Assert.True(applied.ExitCode == 0, applied.ToString());
    }

    private Task<CommandResult> PutAsync(string kind, string yaml) => RunInputAsync(yaml, "admin", kind, "put", "-");

    private Task<CommandResult> RunAsync(params string[] arguments) => RunInputAsync(null, arguments);

    private async Task<CommandResult> RunInputAsync(string? input, params string[] arguments)
    {
        var config = System.IO.Path.Combine(Gateway.DataPath, "registry-test.yaml");
        await File.WriteAllTextAsync(config, Config);
        return await Gateway.RunToEndAsync([.. arguments, "--config", config, "--data", Gateway.DataPath], input);
    }

    private async Task<int> StatusAsync(string model) => (await ChatAsync(The.ChatRequest(model))).Status;

    private async Task UntilAsync(string model, int status) => await SoonAsync(() => StatusAsync(model).Result, seen => seen == status);

    private async Task<double> MetricAsync(string reason)
    {
        var name = $"tokenfactory_registry_refusals_total{{reason=\"{reason}\"}} ";
        var line = (await Client.GetStringAsync(new Uri("/metrics", UriKind.Relative))).Split('\n').FirstOrDefault(one => one.StartsWith(name, StringComparison.Ordinal));
        return line is null ? 0 : double.Parse(line[name.Length..].Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
    }

    private async Task<T> SoonAsync<T>(Func<T> look, Func<T, bool> isIt)
    {
        var began = Stopwatch.GetTimestamp();
        for (var last = look(); ; last = look())
        {
            if (isIt(last))
            {
                return last;
            }

            Assert.True(Stopwatch.GetElapsedTime(began) < _patience, $"still {last}:\n{Gateway.Output}");
            await Task.Delay(50);
        }
    }
}
