using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Processes;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path.Policies;

/// <summary>A bundle on trial, on the whole path: it changes nothing, and what it would have changed is on record.</summary>
public sealed partial class ShadowPolicyTests(ShadowPolicyTests.Backend backend) : IClassFixture<ShadowPolicyTests.Backend>
{
    [Fact]
    public async Task Shadow_mode_changes_nothing_and_what_it_would_have_changed_is_on_record()
    {
        var before = await CountersAsync();
        var restricted = await AskAsync("both");
        var denied = await AskAsync("us-only");
        var refused = await AskAsync("both", "x-tf-tier: gold");
        var agreed = await AskAsync("eu-only");

        Assert.Equal((200, "us"), (restricted.Status, restricted.Headers["x-tf-provider"].ToString()));
        Assert.Equal((200, "us"), (denied.Status, denied.Headers["x-tf-provider"].ToString()));
        Assert.Equal(403, refused.Status);
        Assert.Equal("""{"bundle":"next-1","outcome":"would_restrict","excluded":[{"deployment":"us","reason":"residency","rule":"all-in-eu"}]}""", await ShadowOfAsync(restricted));
        Assert.Equal("""{"bundle":"next-1","outcome":"would_deny","reasons":["residency"],"excluded":[{"deployment":"us","reason":"residency","rule":"all-in-eu"}]}""", await ShadowOfAsync(denied));
        Assert.Equal("""{"bundle":"next-1","outcome":"would_allow","excluded":[{"deployment":"us","reason":"residency","rule":"all-in-eu"}]}""", await ShadowOfAsync(refused));
        Assert.Equal("""{"bundle":"next-1","outcome":"agreed"}""", await ShadowOfAsync(agreed));

        var after = await CountersAsync();
        Assert.All((string[])["would_restrict", "would_deny", "would_allow", "agreed"], outcome => Assert.Equal(before.GetValueOrDefault(outcome) + 1, after.GetValueOrDefault(outcome)));
    }

    [Fact]
    public async Task Shadow_mode_is_told_by_explain_before_and_after_a_request()
    {
        var keys = await AdminAsync("keys", "list", "--json");
        var id = JsonNode.Parse(keys.Output)!.AsArray()[0]!["id"]!.GetValue<string>();
        var response = await AskAsync("us-only");
        await backend.SettlementAsync(response.Headers["x-request-id"].ToString());

        var imagined = await AdminAsync("explain", "--key", id, "--model", "us-only");
        var asJson = JsonNode.Parse((await AdminAsync("explain", "--key", id, "--model", "us-only", "--json")).Output)!;
        var told = await AdminAsync("explain", "--request", response.Headers["x-request-id"].ToString());

        foreach (var text in (string[])[imagined.Output, told.Output])
        {
            Assert.Contains("shadow bundle next-1 would refuse it: residency", text, StringComparison.Ordinal);
            Assert.Matches("us +residency +all-in-eu", text);
        }

        Assert.True(asJson["served"]!.GetValue<bool>());
        Assert.Equal("would_deny", asJson["shadow"]!["outcome"]!.GetValue<string>());
        Assert.Equal("all-in-eu", asJson["shadow"]!["excluded"]![0]!["rule"]!.GetValue<string>());
    }

    [Fact]
    public async Task Shadow_bundles_are_read_again_when_they_change_and_a_bad_one_keeps_the_last_good_one()
    {
        var good = await File.ReadAllTextAsync(backend.ShadowFile);
        try
        {
            await File.WriteAllTextAsync(backend.ShadowFile, good.Replace("next-1", "next-2", StringComparison.Ordinal));
            await UntilAsync("next-2");
            await File.WriteAllTextAsync(backend.ShadowFile, "version: next-3\nrules: [ { id: empty } ]");
            for (var look = 0; look < 200 && !backend.Gateway.Output.Lines.Concat(backend.Gateway.Output.ErrorLines).Any(line => line.Contains("this rule does nothing", StringComparison.Ordinal)); look++)
            {
                await Task.Delay(50);
            }

            Assert.Equal("next-2", await VersionInForceAsync());
        }
        finally
        {
            await File.WriteAllTextAsync(backend.ShadowFile, good);
            await UntilAsync("next-1");
        }
    }

    [Fact]
    public async Task P12_A_bad_shadow_bundle_stops_the_start()
    {
        using var folder = new TempFolder();
        folder.Write("next.yaml", "version: v1\nrules: [ { id: empty } ]");

        var result = await GatewayProcess.RunAsync(["serve", "--config", folder.Write("gateway.yaml", "policy: { shadow: next.yaml }"), "--data", folder.Path]);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("next.yaml:2:", result.Error, StringComparison.Ordinal);
        Assert.Contains("this rule does nothing", result.Error, StringComparison.Ordinal);
    }

    private async Task UntilAsync(string version)
    {
        for (var look = 0; look < 200; look++)
        {
            if (await VersionInForceAsync() == version)
            {
                return;
            }

            await Task.Delay(50);
        }

        throw new TimeoutException($"{version} never came into force:\n{backend.Gateway.Output}");
    }

    private async Task<string> VersionInForceAsync()
    {
        var id = (await AskAsync("eu-only")).Headers["x-request-id"].ToString();
        var events = await backend.EventsAsync(lines => lines.Any(IsIt));
        return events.Single(IsIt).GetProperty("data").GetProperty("policy").GetProperty("shadow").GetProperty("bundle").GetString()!;

        bool IsIt(JsonElement line) => line.GetProperty("id").GetString() == id;
    }

    private async Task<string> ShadowOfAsync(RawResponse response)
    {
        var told = await AdminAsync("explain", "--json", "--request", response.Headers["x-request-id"].ToString());
        Assert.True(told.ExitCode == 0, told.ToString());
        return JsonNode.Parse(told.Output)!["record"]!["data"]!["policy"]!["shadow"]!.ToJsonString();
    }

    private async Task<Dictionary<string, long>> CountersAsync() => Counter().Matches(await backend.Client.GetStringAsync(new Uri("/metrics", UriKind.Relative)))
        .ToDictionary(match => match.Groups[1].Value, match => long.Parse(match.Groups[2].Value, System.Globalization.CultureInfo.InvariantCulture));

    private Task<CommandResult> AdminAsync(params string[] arguments)
    {
        var data = backend.Gateway.DataPath;
        return backend.Gateway.RunToEndAsync(["admin", .. arguments, "--data", data, "--config", System.IO.Path.Combine(data, "gateway.yaml")]);
    }

    private Task<RawResponse> AskAsync(string model, params string[] headers) => backend.ChatAsync(The.ChatRequest(model), headers);

    [GeneratedRegex("""^tokenfactory_policy_shadow_verdicts_total\{outcome="(\w+)"\} (\d+)""", RegexOptions.Multiline)]
    private static partial Regex Counter();

    public sealed class Backend : PathGateway
    {
        private readonly TempFolder _folder = new();

        public string ShadowFile => _folder.File("next.yaml");

        protected override string Config => $$"""
            policy: { bundle: "{{Rules()}}", shadow: "{{Next()}}" }
            providers:
              - { name: eu, kind: openai, region: eu-west-1 }
              - { name: us, kind: openai, region: us-east-1 }
            deployments:
              - { name: eu, provider: eu, endpoints: ["{{Upstream.BaseUrl}}"], health: { path: "false" } }
              - { name: us, provider: us, endpoints: ["{{Other.BaseUrl}}"], health: { path: "false" } }
            models:
              - { name: fake-model, deployments: [ { use: eu } ] }
              - { name: both, deployments: [ { use: us }, { use: eu, priority: 1 } ] }
              - { name: eu-only, deployments: [ { use: eu } ] }
              - { name: us-only, deployments: [ { use: us } ] }
            """;

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            _folder.Dispose();
        }

        private string Rules() => _folder.Write("rules.yaml", "version: v1\nrules: [ { id: no-gold, when: { tier: gold }, deny: [gold] } ]");

        private string Next() => _folder.Write("next.yaml", "version: next-1\nrules: [ { id: all-in-eu, restrict: { regions: [eu] } } ]");
    }
}
