using TokenFactory.Administration.Configuration;
using TokenFactory.Administration.Configuration.Settings;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Administration.Tests.Configuration;

public sealed class GatewayConfigurationTests
{
    private static readonly (string, string)[] _sampleSecrets =
    [
        ("GATEWAY_PEPPER_V1", new string('1', 32)), ("GATEWAY_PEPPER_V2", new string('2', 32)), ("OPENMETER_TOKEN", "om-token"), ("SINK_REDIS", "redis://redis:6379"), ("SINK_RABBITMQ", "amqps://billing:pw@rabbit/usage"),
        ("OPA_TOKEN", "opa-token"), ("CONTROL_PLANE", "control-token"), ("GPU_EU_KEY", "gpu-token"), ("VENDOR_KEY", "vendor-token"), ("CLAUDE_KEY", "claude-token"), ("GATEWAY_SECRETS_KEY_V1", Convert.ToBase64String(Enumerable.Repeat((byte)1, 32).ToArray())), ("GATEWAY_SECRETS_KEY_V2", Convert.ToBase64String(Enumerable.Repeat((byte)2, 32).ToArray())), ("DEV_KEY", "an-opaque-key-of-some-length"),
    ];

    [Fact]
    public void P12_Lifecycle_events_are_told_only_when_asked_for_and_a_mistake_in_it_is_named()
    {
        var silent = Yaml.Valid("server: { max_depth: 64 }");
        var telling = Yaml.Valid("ledger: { lifecycle_events: true }");

        Assert.Equal((false, true), (silent.Ledger.LifecycleEvents, telling.Ledger.LifecycleEvents));
        Assert.Equal(["ledger"], RestartOnly.Differ(silent, telling));
        var mistakes = Yaml.Read("ledger: { lifecycle_events: maybe, lifecycle_event: true }").Mistakes;
        Assert.Contains(mistakes, one => one.Message.Contains("true or false", StringComparison.Ordinal));
        Assert.Contains(mistakes, one => one.Message.Contains("did you mean 'lifecycle_events'?", StringComparison.Ordinal));
    }

    [Fact]
    public void What_few_backends_serve_is_served_by_those_that_name_it()
    {
        var reading = Yaml.Read("""
            providers: [ { name: p, kind: openai } ]
            deployments:
              - { name: usual, provider: p, endpoints: ["http://a.example/v1"] }
              - { name: named, provider: p, endpoints: ["http://a.example/v1"], operations: [responses, moderations] }
              - { name: judge, provider: p, endpoints: ["http://a.example/v1"], operations: [moderations], usd_per_million: { input: 1 } }
            """);
        var deployments = reading.Configuration!.Deployments.ToDictionary(one => one.Name, one => one.Operations);

        Assert.Equal(Operations.Chat | Operations.Completions | Operations.Embeddings, deployments["usual"]);
        Assert.Equal(Operations.Responses | Operations.Moderations, deployments["named"]);
        Assert.Equal(Operations.Moderations, deployments["judge"]);
        Assert.Equal(Operations.Every, deployments["loopback"]);
    }

    [Fact]
    public void The_sample_is_valid_and_means_what_it_says()
    {
        var reading = ConfigurationReader.ReadFile(SampleFile(), _sampleSecrets.ToDictionary(secret => secret.Item1, secret => secret.Item2, StringComparer.Ordinal));
        var sample = reading.Configuration!;
        Assert.True(sample is not null, string.Join('\n', reading.Mistakes));

        Assert.Equal(["v2", "v1"], sample.Iam.Peppers.Select(p => p.Version));
        var llama = sample.Deployments.Single(d => d.Name == "llama-eu");
        Assert.Equal(2, llama.Endpoints.Count);
        Assert.Equal("eu-west-1", llama.EffectiveRegion);
        Assert.True(llama.Provider.Contract["no_training"]);
        Assert.Equal(600_000_000, llama.Price.OutputNanoUsd);
        Assert.Equal((Circuit.Default, TimeSpan.FromMinutes(1)), (llama.Circuit, llama.MaxRest));
        Assert.Null(sample.Deployments.Single(d => d.Name == "vendor-mini").HealthPath);
        var claude = sample.Deployments.Single(d => d.Name == "claude-eu");
        Assert.Equal((ProviderKind.Anthropic, Operations.Chat, 64_000L), (claude.Provider.Kind, claude.Operations, claude.MaxOutput));
        var manual = sample.Deployments.Single(d => d.Name == "by-hand");
        Assert.Equal((ProviderKind.Manual, Operations.Chat | Operations.Completions), (manual.Provider.Kind, manual.Operations));
        Assert.StartsWith("The assistant is not available", manual.Answer, StringComparison.Ordinal);

        var own = sample.Deployments.Single(d => d.Name == "acme-own").Provider;
        Assert.Equal(("acme", "acme-token", "10.20.0.0/16", false), (own.Tenant, own.Credential!.Reveal(), own.Reach!.ToString(), own.AllowsHttp));
        Assert.Equal("", claude.Provider.Reach!.ToString());
        var external = sample.ExternalPolicy!;
        Assert.Equal(("http://localhost:8181", TimeSpan.FromMilliseconds(50), 256, "opa-token"), (external.Origin, external.Timeout, external.MaxInFlight, external.Credential!.Reveal()));
        Assert.Equal("X-Opa-Caller", Assert.Single(external.Headers).Key);
        Assert.Equal(sample.Policy.Version, sample.ShadowPolicy!.Version);

        var acme = Assert.Single(sample.Tenants);
        Assert.Equal("standard", acme.Tenant.Tier!.Name);
        var routing = acme.Tenant.Routing;
        Assert.Equal(["vendor"], routing.DeniedProviders);
        Assert.Equal(("gpu-eu", 500_000_000, RoutingStrategy.Cheapest), (routing.PreferredProvider, routing.MaxNanoUsdPerRequest, routing.Strategy));
        Assert.Equal(500_000_000_000, acme.Tenant.Limits.NanoUsdPerMonth);
        var search = Assert.Single(acme.Projects);
        Assert.True(search.Models.Allows("text-embedding-3-small"));
        Assert.False(search.Models.Allows("gpt-4"));
        Assert.Equal(["ci", "dev"], acme.Keys.Select(k => k.Name));
        Assert.Equal(new DateTimeOffset(2030, 1, 31, 0, 0, 0, TimeSpan.Zero), acme.Keys[0].ExpiresAt);
        Assert.Equal("ada@acme.example", acme.Keys[1].User!.Name);
    }

    [Fact]
    public void Without_a_file_loopback_answers()
    {
        var configuration = GatewayConfiguration.Default;

        Assert.Equal("loopback", Assert.Single(configuration.Models).Pattern.Literal);
        Assert.Equal(ProviderKind.Loopback, Assert.Single(configuration.Deployments).Provider.Kind);
        Assert.IsType<FileSinkSettings>(Assert.Single(configuration.Sinks));
        Assert.Empty(configuration.Tenants);
    }

    [Fact]
    public void A_model_of_the_file_named_loopback_wins_over_the_built_in_one()
    {
        var configuration = Yaml.Valid(Yaml.OneBackend + "models: [ { name: loopback, deployments: [ { use: llama } ] } ]");

        Assert.Equal("llama", Assert.Single(Assert.Single(configuration.Models).Targets).Deployment.Name);
    }

    [Fact]
    public void An_upstream_serves_its_models_beside_loopback_and_never_over_the_file()
    {
        var file = Yaml.Valid(Yaml.OneBackend + "models: [ { name: mine, deployments: [ { use: llama } ] } ]");

        var both = file.WithUpstream(new Uri("http://127.0.0.1:9/v1/"), new Secret("k"), "eu-west-1", ["gpt-x", "gpt-x", "mine"]);

        var registry = new Registry(both.Deployments, both.Models).ModelsOf(new Tenant("acme"));
        Assert.Equal("upstream", registry.Find("gpt-x")!.Targets[0].Deployment.Name);
        Assert.Equal("http://127.0.0.1:9/v1", registry.Find("gpt-x")!.Targets[0].Deployment.Endpoints[0].AbsoluteUri);
        Assert.Equal("llama", registry.Find("mine")!.Targets[0].Deployment.Name);
        Assert.NotNull(registry.Find("loopback"));
        Assert.Null(registry.Find("anything"));
        Assert.NotEqual(file.Revision, both.Revision);
        Assert.NotNull(new Registry(both.Deployments, file.WithUpstream(new Uri("http://h/v1"), null, null, []).Models).ModelsOf(new Tenant("acme")).Find("anything"));
    }

    [Fact]
    public void P8_a_changed_secret_changes_the_revision_without_being_in_it()
    {
        const string yaml = "providers: [ { name: gpu, kind: openai, credential: env:KEY } ]";

        Assert.NotEqual(Yaml.Valid(yaml, ("KEY", "one")).Revision, Yaml.Valid(yaml, ("KEY", "two")).Revision);
        Assert.Equal(12, Yaml.Valid(yaml, ("KEY", "one")).Revision.Length);
    }

    [Fact]
    public void A_derived_key_id_outlives_its_secret()
    {
        const string yaml = """
            tenants:
              - { name: acme, projects: [ { name: p } ], keys: [ { name: k, project: p, secret: env:KEY } ] }
            """;

        var before = Yaml.Valid(yaml, ("KEY", "an-opaque-key-of-some-length")).Tenants[0].Keys[0];
        var after = Yaml.Valid(yaml, ("KEY", "another-opaque-key-of-its-own")).Tenants[0].Keys[0];

        Assert.Equal(8, before.Id.Length);
        Assert.Equal(before.Id, after.Id);
        Assert.Equal(Scopes.Default.Order(), before.Scopes.Order());
    }

    // Beside the solution, wherever the tests were built to.
    private static string SampleFile()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "TokenFactory.Gateway.sln")))
        {
            directory = directory.Parent ?? throw new DirectoryNotFoundException("no solution above the tests");
        }

        return Path.Combine(directory.FullName, "docs", "operations", "gateway.example.yaml");
    }
}
