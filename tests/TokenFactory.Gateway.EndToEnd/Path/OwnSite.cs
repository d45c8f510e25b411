using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path;

/// <summary>A gateway with a shared backend and one of a tenant's own, whose credential is sealed; a rival tenant asks beside it.</summary>
public sealed class OwnSite : IAsyncLifetime
{
    public const string Acme = "the-key-of-acme-which-owns-it";
    public const string Rival = "the-key-of-rival-which-does-not";
    public const string Credential = "sk-the-credential-of-acme";

    private const string SealingKey = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

    public FakeUpstream Own { get; private set; } = null!;

    public FakeUpstream Shared { get; private set; } = null!;

    public GatewayProcess Gateway { get; private set; } = null!;

    public string ConfigFile => System.IO.Path.Combine(Gateway.DataPath, "gateway.yaml");

    public static Dictionary<string, string?> Environment => new() { ["SEAL"] = SealingKey, ["ACME"] = Acme, ["RIVAL"] = Rival, ["SHARED"] = "sk-shared" };

    public async ValueTask InitializeAsync()
    {
        Own = await FakeUpstream.StartAsync(new FakeUpstreamOptions { Name = "own-" });
        Shared = await FakeUpstream.StartAsync(new FakeUpstreamOptions { Name = "shared-" });
        Own.RequiredKey = Credential;
        Own.Answer = Shared.Answer = _ => Told.Answer;
        Gateway = await GatewayProcess.StartAsync(new GatewayOptions { Config = Config(await SealAsync("acme", Own)), Environment = Environment });
    }

    public async ValueTask DisposeAsync()
    {
        await Gateway.DisposeAsync();
        await Own.DisposeAsync();
        await Shared.DisposeAsync();
    }

    /// <summary>By the command line, as an operator does.</summary>
    public static async Task<string> SealAsync(string tenant, FakeUpstream backend, string provider = "acme-llm")
    {
        using var folder = new TempFolder();
        var config = folder.Write("gateway.yaml", "secrets: { keys: { v1: env:SEAL } }");
        var result = await GatewayProcess.RunAsync(
            ["admin", "secrets", "seal", "--provider", provider, "--tenant", tenant, "--origin", $"http://127.0.0.1:{backend.Port}", "--config", config],
            Credential + "\n",
            new GatewayOptions { Environment = Environment });
        Assert.True(result.ExitCode == 0, result.Error);
        return result.Output.Trim();
    }

    public string Config(string credential) => $$"""
        secrets: { keys: { v1: env:SEAL } }
        providers:
          - { name: shared, kind: openai, region: us-east-1, credential: env:SHARED }
          - name: acme-llm
            kind: openai
            tenant: acme
            region: eu-west-1
            credential: {{credential}}
            allow_http: true
            allow_addresses: [127.0.0.1]
        deployments:
          - { name: shared, provider: shared, endpoints: ["{{Shared.BaseUrl}}"], health: { path: "false" } }
          - { name: acme-own, provider: acme-llm, endpoints: ["{{Own.BaseUrl}}"], max_context: 64, health: { interval: 1s } }
        models:
          - { name: acme-model, deployments: [ { use: acme-own } ] }
          - { match: "acme-*", deployments: [ { use: acme-own } ] }
          - { name: mixed, deployments: [ { use: acme-own }, { use: shared, priority: 1 } ] }
          - { name: public, deployments: [ { use: shared } ] }
        tenants:
          - name: acme
            projects: [ { name: p } ]
            keys: [ { name: k, id: acmekey1, project: p, secret: env:ACME, scopes: ["inference:*", "models:read", "requests:read", "usage:read", "audit:read"] } ]
          - name: rival
            projects: [ { name: p } ]
            keys: [ { name: k, id: rivalkey, project: p, secret: env:RIVAL, scopes: ["inference:*", "models:read", "requests:read", "usage:read", "audit:read"] } ]
        """;

    public Task<RawResponse> PostAsync(string key, string path, byte[] body, params string[] headers) =>
        RawHttp.SendAsync(Gateway.BaseUrl, RawHttp.Post(path, body, [$"authorization: Bearer {key}", .. headers]), TimeSpan.FromSeconds(30));

    public async Task<RawResponse> GetAsync(string key, string path, params string[] headers)
    {
        await using var raw = await RawHttp.ConnectAsync(Gateway.BaseUrl, TimeSpan.FromSeconds(30));
        await raw.SendAsync($"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\n{string.Concat(headers.Select(header => header + "\r\n"))}\r\n");
        return await raw.ReadResponseAsync();
    }
}
