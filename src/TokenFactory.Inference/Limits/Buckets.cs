using System.Runtime.CompilerServices;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Limits;

/// <summary>The buckets that a key's requests take from: those of the key, its user, project and tenant, the tenant's tier, and the model.</summary>
internal static class Buckets
{
    // A key of a snapshot is one object for all of its requests, so its buckets are made once.
    private static readonly ConditionalWeakTable<ApiKey, Bucket[]> _ofKeys = [];

    public static IReadOnlyList<Bucket> Of(ApiKey key, ModelRoute route)
    {
        var own = Of(key);
        return ReferenceEquals(route.Limits, LimitSet.None) ? own : [.. own, .. Of("model:" + route.Pattern, route.Limits)];
    }

    public static IReadOnlyList<Bucket> Of(ApiKey key) =>
        _ofKeys.GetValue(key, static k =>
        [
            .. Of("key:" + k.Id, k.Limits),
            .. k.User is { } user ? Of("user:" + user.Name, user.Limits) : [],
            .. Of("project:" + k.Project.Name, k.Project.Limits),
            .. Of("tenant", k.Tenant.Limits),
            .. k.Tenant.Tier is { } tier ? Of("tier:" + tier.Name, tier.Limits) : [],
        ]);

    public static IEnumerable<Bucket> Of(string subject, LimitSet limits)
    {
        if (limits.RequestsPerMinute is { } requests)
        {
            yield return new Bucket(subject, Dimension.RequestsPerMinute, requests);
        }

        if (limits.TokensPerMinute is { } tokens)
        {
            yield return new Bucket(subject, Dimension.TokensPerMinute, tokens);
        }

        if (limits.Concurrent is { } concurrent)
        {
            yield return new Bucket(subject, Dimension.Concurrent, concurrent);
        }

        if (limits.TokensPerMonth is { } monthly)
        {
            yield return new Bucket(subject, Dimension.TokensPerMonth, monthly);
        }

        if (limits.NanoUsdPerMonth is { } money)
        {
            yield return new Bucket(subject, Dimension.NanoUsdPerMonth, money);
        }
    }
}
