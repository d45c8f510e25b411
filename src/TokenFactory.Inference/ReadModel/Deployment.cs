using System.Collections.Frozen;
using TokenFactory.Inference.ReadModel.Addresses;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference.ReadModel;

public enum ProviderKind
{
    /// <summary>Any server that speaks OpenAI's dialect: vLLM, SGLang, llama.cpp, Ollama, OpenAI itself.</summary>
    OpenAi = 0,

    /// <summary>The built-in echo model: no network, no cost, deterministic.</summary>
    Loopback = 1,

    /// <summary>No model: an answer that the operator wrote, for when no backend may be asked or none can answer. No network, no tokens.</summary>
    Manual = 2,

    /// <summary>Any server that speaks Anthropic's Messages: Anthropic itself, and servers that copy it.</summary>
    Anthropic = 3,
}

/// <summary>Who runs a backend.</summary>
/// <param name="Credential">The secret sent upstream, as <c>Authorization: Bearer</c> or Anthropic's <c>x-api-key</c>; null sends none. Never logged, never in a record's text.</param>
public sealed record Provider(string Name, ProviderKind Kind, string? Region, Secret? Credential)
{
    /// <summary>What was agreed with it (<c>dpa</c>, <c>no_training</c>, …): facts for policy, absent is unknown.</summary>
    public FrozenDictionary<string, bool> Contract { get; init; } = FrozenDictionary<string, bool>.Empty;

    /// <summary>Whose own it is: nobody else's requests reach or see its deployments. Null is the operator's, for every tenant.</summary>
    public string? Tenant { get; init; }

    public bool IsCustomerOwned => Tenant is not null;

    /// <summary>To whom the credential may be shown, as it was sealed; null is to every endpoint of its deployments.</summary>
    public FrozenSet<EndpointOrigin>? CredentialOrigins { get; init; }

    /// <summary>Which addresses the names of its endpoints may lead to; null is any.</summary>
    public AddressRule? Reach { get; init; }

    /// <summary>In the registry, and not in the file.</summary>
    public bool IsRegistered { get; init; }

    /// <summary>Whether endpoints of a provider with such a rule may be asked in plain text.</summary>
    public bool AllowsHttp { get; init; }

    /// <summary>Whether it answers inside the gateway, so that no data leaves the process.</summary>
    public bool IsInside => Kind is ProviderKind.Loopback or ProviderKind.Manual;

    public Dialect Dialect => Kind == ProviderKind.Anthropic ? Dialect.Anthropic : Dialect.OpenAi;

    /// <param name="tenant">Null: a tenant that has nothing of its own.</param>
    public bool IsFor(string? tenant) => Tenant is null || Tenant == tenant;
}

/// <summary>A secret value that no log, record or exception prints.</summary>
public sealed class Secret(string value)
{
    public string Reveal() => value;

    public override string ToString() => "(secret)";
}

/// <summary>One upstream model at one provider.</summary>
public sealed record Deployment
{
    /// <summary>Stands in an address for what answers inside the gateway; no host can have this name (RFC 2606).</summary>
    internal const string InsideHost = "inside.invalid";

    public required string Name { get; init; }

    public required Provider Provider { get; init; }

    /// <summary>Base URLs of its replicas, each ending in the version segment (<c>…/v1</c>), without a trailing slash.</summary>
    public required IReadOnlyList<Uri> Endpoints { get; init; }

    /// <summary>What the backend calls the model. Null keeps the name the caller used.</summary>
    public string? UpstreamModel { get; init; }

    public string? Version { get; init; }

    /// <summary>Overrides the provider's.</summary>
    public string? Region { get; init; }

    /// <summary>Where exactly it runs, as JSON for the evidence (<c>zone</c>, <c>cluster</c>, <c>node_pool</c>, <c>ownership</c>); null when nothing of it is known.</summary>
    public string? Site { get; init; }

    /// <summary>False takes it out of every plan; what runs there runs to its end.</summary>
    public bool IsEnabled { get; init; } = true;

    public Operations Operations { get; init; } = Operations.Usual;

    /// <summary>Tokens, input and output together; null is unknown.</summary>
    public long? MaxContext { get; init; }

    /// <summary>Tokens of output the backend can be made to write at most; null is unknown.</summary>
    public long? MaxOutput { get; init; }

    public Price Price { get; init; } = Price.Free;

    /// <summary>What a manual deployment says; null for every other.</summary>
    public string? Answer { get; init; }

    /// <summary>Its rank among deployments, higher is better; null is unknown. For the strategy <see cref="RoutingStrategy.Quality"/>.</summary>
    public int? Quality { get; init; }

    /// <summary>Whether the backend reads a bound on the output from <c>max_completion_tokens</c>, as OpenAI's own models do, and not from <c>max_tokens</c>.</summary>
    public bool ReadsMaxCompletionTokens { get; init; }

    /// <summary>Whether the backend honours <c>stream_options.include_usage</c>.</summary>
    public bool StreamsUsage { get; init; } = true;

    /// <summary>Whether the backend honours <c>stream_options.continuous_usage_stats</c> (vLLM, SGLang): a cut stream then has an exact count.</summary>
    public bool ContinuousUsage { get; init; }

    /// <summary>Null uses the gateway's own clocks.</summary>
    public Clocks? Clocks { get; init; }

    /// <summary>When it is passed over because it keeps failing; null never does.</summary>
    public Circuit? Circuit { get; init; } = Circuit.Default;

    /// <summary>When it is passed over because its answers are of no use; null never is.</summary>
    public LowQuality? LowQuality { get; init; }

    /// <summary>How many requests that failed elsewhere it may be given; null any number.</summary>
    public RetryBudget? RetryBudget { get; init; } = RetryBudget.Default;

    /// <summary>How long it is left alone at most when it says that its quota is spent or that it is overloaded; zero asks on regardless.</summary>
    public TimeSpan MaxRest { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Path below an endpoint that active health probes ask for; null turns probing off.</summary>
    public string? HealthPath { get; init; } = "models";

    public TimeSpan HealthInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>What its requests are kept together by, among several endpoints.</summary>
    public Affinity Affinity { get; init; }

    /// <summary>Where its engines say how loaded they are; null asks nobody.</summary>
    public EngineMetrics? Load { get; init; }

    public string? EffectiveRegion => Region ?? Provider.Region;

    /// <summary>Whether a request to it may go to this address: one of its endpoints is of that origin, and its credential may be shown there.</summary>
    public bool MayBeAskedAt(Uri address)
    {
        var isEndpoint = Provider.IsInside && address.Host == InsideHost;
        for (var i = 0; i < Endpoints.Count && !isEndpoint; i++)
        {
            var endpoint = Endpoints[i];
            isEndpoint = endpoint.Port == address.Port && endpoint.Scheme == address.Scheme && string.Equals(endpoint.Host, address.Host, StringComparison.OrdinalIgnoreCase);
        }

        return isEndpoint && (Provider.CredentialOrigins is not { } origins || origins.Contains(EndpointOrigin.Of(address)));
    }

    /// <summary>Whether it can be asked for this; a response can be had of whatever chats.</summary>
    public bool Serves(Operations operation) =>
        Operations.HasFlag(operation) || (operation == ReadModel.Operations.Responses && Operations.HasFlag(ReadModel.Operations.Chat));

    /// <summary>What it is asked in by a client of this dialect.</summary>
    public Dialect DialectFor(Dialect client) =>
        client == Dialect.Responses && Operations.HasFlag(ReadModel.Operations.Responses) ? Dialect.Responses : Provider.Dialect;

    public Placement PlacementFor(string askedModel) =>
        new(Name, Provider.Name, EffectiveRegion, UpstreamModel ?? askedModel, Version, Price, Site);
}
