using System.Collections.Frozen;

namespace TokenFactory.Inference.ReadModel.Routes;

/// <summary>
/// The models that one tenant can ask for, with the deployments that it can reach. What is another tenant's own is not in it, so that
/// no later stop can score, try or name it, and a name that only another tenant has is found as a name that nobody has (P9).
/// </summary>
public sealed class TenantModels
{
    private readonly FrozenDictionary<string, ModelRoute> _exact;
    private readonly ModelRoute[] _patterns;
    private readonly TenantModels? _shared;

    /// <param name="routes">Those that name a deployment of the tenant's own, or with no <paramref name="shared"/> all there are.</param>
    /// <param name="shared">What every tenant sees; a route of the tenant's own replaces the one of the same name.</param>
    internal TenantModels(IEnumerable<ModelRoute> routes, TenantModels? shared)
    {
        var all = routes.ToArray();
        _exact = all.Where(r => r.Pattern.Kind == PatternKind.Exact).ToFrozenDictionary(r => r.Pattern.Literal, StringComparer.Ordinal);
        _patterns = [.. all.Where(r => r.Pattern.Kind != PatternKind.Exact).OrderBy(r => r.Pattern, Comparer<ModelPattern>.Create(ModelPattern.MostSpecificFirst))];
        _shared = shared;
    }

    /// <summary>The exact names: what <c>GET /v1/models</c> can list. A pattern has no name of its own.</summary>
    public IEnumerable<string> Names => _shared is null ? _exact.Keys : _shared._exact.Keys.Union(_exact.Keys);

    /// <summary>Exact names win, then the most specific pattern.</summary>
    public ModelRoute? Find(string model)
    {
        if (_exact.TryGetValue(model, out var route) || (_shared?._exact.TryGetValue(model, out route) ?? false))
        {
            return route;
        }

        var own = Match(model);
        var common = _shared?.Match(model);
        return own is null || (common is not null && ModelPattern.MostSpecificFirst(common.Pattern, own.Pattern) < 0) ? common : own;
    }

    /// <summary>What a deployment is asked as: names first, in their order, then patterns.</summary>
    public IEnumerable<ModelRoute> ServedBy(string deployment) =>
        Names.Order(StringComparer.Ordinal).Select(name => Find(name)!).Concat(_patterns).Concat(_shared?._patterns ?? [])
            .Where(route => route.Targets.Any(target => target.Deployment.Name == deployment));

    private ModelRoute? Match(string model)
    {
        foreach (var candidate in _patterns)
        {
            if (candidate.Pattern.Matches(model))
            {
                return candidate;
            }
        }

        return null;
    }
}
