using TokenFactory.Administration.Configuration.Settings;
using TokenFactory.Administration.Secrets;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Policies;
using TokenFactory.Inference.ReadModel.Routes;

namespace TokenFactory.Administration.Configuration;

/// <summary>The whole configuration, validated: every name resolves and every value is within its bounds.</summary>
public sealed record GatewayConfiguration
{
    /// <summary>What an installation without a file runs: SQLite, local limits and the built-in loopback model.</summary>
    public static GatewayConfiguration Default { get; } =
        ConfigurationReader.ReadText("", "(defaults)", new Dictionary<string, string>(StringComparer.Ordinal)).Configuration!;

    /// <summary>Names this configuration, secrets' digests included: equal revisions behave equally.</summary>
    public required string Revision { get; init; }

    public required StoreSettings Store { get; init; }

    public required LimiterSettings Limiter { get; init; }

    public required IamSettings Iam { get; init; }

    /// <summary>What sealed credentials are sealed and opened under. Read anew with every configuration.</summary>
    public SecretKeyring Secrets { get; init; } = SecretKeyring.None;

    public required ServerSettings Server { get; init; }

    public required TelemetrySettings Telemetry { get; init; }

    public required GuardSettings Guard { get; init; }

    public required LedgerSettings Ledger { get; init; }

    /// <summary>The sovereignty rules.</summary>
    public PolicyBundle Policy { get; init; } = PolicyBundle.None;

    /// <summary>Default models and output schemas of the sovereignty contract.</summary>
    public InferSettings Infer { get; init; } = InferSettings.None;

    /// <summary>Rules that are judged beside those in force and change nothing; null when there are none.</summary>
    public PolicyBundle? ShadowPolicy { get; init; }

    /// <summary>Who is asked after the rules; null asks nobody.</summary>
    public ExternalPolicy? ExternalPolicy { get; init; }

    public required IReadOnlyList<SinkSettings> Sinks { get; init; }

    public RegistrySettings Registry { get; init; } = RegistrySettings.None;

    public required IReadOnlyList<Provider> Providers { get; init; }

    public required IReadOnlyList<Deployment> Deployments { get; init; }

    public required IReadOnlyList<ModelRoute> Models { get; init; }

    public required IReadOnlyList<Tier> Tiers { get; init; }

    public required IReadOnlyList<TenantSettings> Tenants { get; init; }

    /// <summary>
    /// Adds one OpenAI-compatible backend named <c>upstream</c> that serves <paramref name="models"/>; a model the file
    /// defines keeps its own route. With no models at all it serves every name the file does not.
    /// </summary>
    public GatewayConfiguration WithUpstream(Uri url, Secret? credential, string? region, IReadOnlyList<string> models) =>
        UpstreamOverlay.Apply(this, url, credential, region, models);
}
