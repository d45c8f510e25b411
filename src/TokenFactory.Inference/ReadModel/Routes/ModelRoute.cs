namespace TokenFactory.Inference.ReadModel.Routes;

/// <param name="Priority">Lower is tried first.</param>
/// <param name="Weight">Share among candidates of the same priority; at least 1.</param>
public sealed record RouteTarget(Deployment Deployment, int Priority, int Weight);

/// <summary>A public model name or pattern and the deployments that serve it.</summary>
/// <param name="Limits">Of the model itself, over all callers of one tenant.</param>
public sealed record ModelRoute(ModelPattern Pattern, IReadOnlyList<RouteTarget> Targets, LimitSet Limits)
{
    /// <summary>For tenants that name none.</summary>
    public RoutingStrategy Strategy { get; init; }

    /// <summary>The tenants of whose own deployments it names one.</summary>
    internal IEnumerable<string> Owners => Targets.Select(target => target.Deployment.Provider.Tenant).OfType<string>().Distinct(StringComparer.Ordinal);

    /// <summary>The part of it that a tenant sees; null when every deployment of it is another tenant's.</summary>
    /// <param name="tenant">Null: a tenant that has nothing of its own.</param>
    internal ModelRoute? SeenBy(string? tenant)
    {
        var seen = Targets.Where(target => target.Deployment.Provider.IsFor(tenant)).ToArray();
        return seen.Length == Targets.Count ? this
            : seen.Length == 0 ? null
            : this with { Targets = seen };
    }
}
