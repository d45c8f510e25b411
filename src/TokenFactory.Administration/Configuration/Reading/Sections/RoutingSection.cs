using System.Collections.Frozen;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Administration.Configuration.Reading.Sections;

/// <summary>A tenant's routing policy, <c>providers</c>, <c>max_usd_per_request</c> and <c>strategy</c>, and a model's <c>strategy</c>.</summary>
internal static class RoutingSection
{
    public const string PinnedNeedsPreferred = "pinned to no provider: write providers: { prefer: NAME }";

    private static readonly (string Word, RoutingStrategy Strategy)[] _strategies =
    [
        ("weighted", RoutingStrategy.Weighted), ("cheapest", RoutingStrategy.Cheapest), ("quality", RoutingStrategy.Quality),
        ("least_loaded", RoutingStrategy.LeastLoaded), ("fastest", RoutingStrategy.Fastest), ("pinned", RoutingStrategy.Pinned),
    ];

    /// <summary>What a word of the wire means; null when it is none.</summary>
    public static RoutingStrategy? StrategyOf(string? text)
    {
        foreach (var (word, strategy) in _strategies)
        {
            if (word == text)
            {
                return strategy;
            }
        }

        return null;
    }

    public static RoutingPolicy ReadTenant(Section tenant, string name, Named<Provider> known)
    {
        var providers = tenant["providers"].SectionOrEmpty();
        var policy = new RoutingPolicy
        {
            AllowedProviders = Names(providers["allow"], name, known),
            DeniedProviders = Names(providers["deny"], name, known),
            PreferredProvider = Reachable(providers["prefer"], name, known),
            MaxNanoUsdPerRequest = tenant["max_usd_per_request"].NanoUsd(),
            Strategy = tenant["strategy"].Choice(_strategies),
        };
        providers.RefuseUnknownKeys();
        if (policy is { Strategy: RoutingStrategy.Pinned, PreferredProvider: null } && !providers["prefer"].IsPresent)
        {
            tenant["strategy"].Mistake(PinnedNeedsPreferred);
        }

        return policy;
    }

    /// <summary>A tenant is pinned, a model is not: its deployments are its pins.</summary>
    public static RoutingStrategy ReadModel(Section model) =>
        model["strategy"].Choice(_strategies.AsSpan(..^1)) ?? RoutingStrategy.Weighted;

    private static FrozenSet<string> Names(Field field, string tenant, Named<Provider> known) =>
        (field.Items() ?? []).Select(item => Reachable(item.Required("the name of a provider"), tenant, known))
            .OfType<string>()
            .ToFrozenSet(StringComparer.Ordinal);

    private static string? Reachable(Field field, string tenant, Named<Provider> known)
    {
        if (known.Find(field) is not { } provider)
        {
            return null;
        }

        if (!provider.IsFor(tenant))
        {
            field.Mistake($"'{provider.Name}' is another tenant's own provider, which no request of this one can reach");
        }

        return provider.Name;
    }
}
