using System.Runtime.CompilerServices;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Routes;

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
            [.. SubjectsOf(k).SelectMany(subject => Of(subject.Name, subject.Limits))]);

    /// <summary>Whose limits bind a key's requests.</summary>
    public static IEnumerable<(string Name, LimitSet Limits)> SubjectsOf(ApiKey key)
    {
        yield return ("key:" + key.Id, key.Limits);
        if (key.User is { } user)
        {
            yield return ("user:" + user.Name, user.Limits);
        }

        yield return ("project:" + key.Project.Name, key.Project.Limits);
        yield return ("tenant", key.Tenant.Limits);
        if (key.Tenant.Tier is { } tier)
        {
            yield return ("tier:" + tier.Name, tier.Limits);
        }
    }

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
