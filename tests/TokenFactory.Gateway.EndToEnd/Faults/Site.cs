using System.Globalization;
using System.Net.Http.Headers;
using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Upstream;

namespace TokenFactory.Gateway.EndToEnd.Faults;

/// <summary>One company with one project and one key, in front of one backend seen as several deployments.</summary>
internal static class Site
{
    public const string Key = "a-key-that-only-the-fault-tests-know";

    /// <summary>Reports usage as a stream's last chunk, to who asks.</summary>
    public const string Reporting = "reporting-model";

    /// <summary>Reports a running total on every chunk.</summary>
    public const string Continuous = "continuous-model";

    /// <summary>Never reports: everything is counted here.</summary>
    public const string Mute = "mute-model";

    public static GatewayOptions Options(FakeUpstream upstream, TempFolder? data = null, long tokensPerMonth = 1_000_000_000, string more = "") => new()
    {
        Data = data,
        Environment = new Dictionary<string, string?> { ["FAULTS_KEY"] = Key },
        Config = Config(upstream.BaseUrl, tokensPerMonth, more),
    };

    /// <summary>The same on a PostgreSQL store, whose instances are taken for dead soon.</summary>
    public static GatewayOptions OnPostgres(this GatewayOptions options, string connection) => options with
    {
        Environment = new Dictionary<string, string?>(options.Environment) { ["GATEWAY_POSTGRES"] = connection, ["FAULTS_PEPPER"] = "the-pepper-of-all-replicas-is-one-and-the-same" },
        Config = options.Config + "\nstore: { kind: postgres, connection: env:GATEWAY_POSTGRES, instance_lease: 2s }\niam: { pepper: env:FAULTS_PEPPER }\n",
    };

    public static HttpClient Client(GatewayProcess gateway)
    {
        // A connection of its own for every call in flight: a hang-up must cost nobody else anything.
        var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = gateway.BaseUrl, Timeout = TimeSpan.FromSeconds(60) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        return client;
    }

    private static string Config(Uri upstream, long tokensPerMonth, string more) => string.Create(CultureInfo.InvariantCulture, $$"""
        providers:
          - { name: fake, kind: openai }
        deployments:
          - { name: reporting, provider: fake, endpoints: ["{{upstream}}"], usd_per_million: { input: 0.15, output: 0.60 }, health: { path: false } }
          - { name: continuous, provider: fake, endpoints: ["{{upstream}}"], usd_per_million: { input: 0.15, output: 0.60 }, continuous_usage: true, health: { path: false } }
          - { name: mute, provider: fake, endpoints: ["{{upstream}}"], usd_per_million: { input: 0.15, output: 0.60 }, streams_usage: false, health: { path: false } }
        models:
          - { name: {{Reporting}}, deployments: [ { use: reporting } ] }
          - { name: {{Continuous}}, deployments: [ { use: continuous } ] }
          - { name: {{Mute}}, deployments: [ { use: mute } ] }
        tenants:
          - name: acme
            projects:
              - { name: search, budgets: { tokens_per_month: {{tokensPerMonth}} } }
            keys:
              - { name: load, project: search, scopes: [inference:chat, inference:embeddings, models:read, usage:read, requests:read, requests:cancel], secret: env:FAULTS_KEY }
        {{more}}
        """);
}
