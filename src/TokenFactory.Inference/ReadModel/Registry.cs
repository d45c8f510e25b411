using System.Collections.Frozen;

namespace TokenFactory.Inference.ReadModel;

/// <summary>The models that can be asked for. Immutable; exact names win, then the most specific pattern.</summary>
public sealed class Registry
{
    private readonly FrozenDictionary<string, ModelRoute> _exact;
    private readonly ModelRoute[] _patterns;

    public Registry(IEnumerable<Deployment> deployments, IEnumerable<ModelRoute> routes)
    {
        Deployments = deployments.ToFrozenDictionary(d => d.Name, StringComparer.Ordinal);
        var all = routes.ToArray();
        _exact = all.Where(r => r.Pattern.Kind == PatternKind.Exact).ToFrozenDictionary(r => r.Pattern.Literal, StringComparer.Ordinal);
        _patterns = [.. all.Where(r => r.Pattern.Kind != PatternKind.Exact).OrderBy(r => r.Pattern, Comparer<ModelPattern>.Create(ModelPattern.MostSpecificFirst))];
    }

    public static Registry Empty { get; } = new([], []);

    public FrozenDictionary<string, Deployment> Deployments { get; }

    /// <summary>The exact names: what <c>GET /v1/models</c> can list. A pattern has no name of its own.</summary>
    public IReadOnlyCollection<string> Names => _exact.Keys;

    public ModelRoute? Find(string model)
    {
        if (_exact.TryGetValue(model, out var route))
        {
            return route;
        }

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
