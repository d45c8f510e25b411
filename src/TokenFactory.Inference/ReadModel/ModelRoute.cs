namespace TokenFactory.Inference.ReadModel;

/// <param name="Priority">Lower is tried first.</param>
/// <param name="Weight">Share among candidates of the same priority; at least 1.</param>
public sealed record RouteTarget(Deployment Deployment, int Priority, int Weight);

/// <summary>A public model name or pattern and the deployments that serve it.</summary>
/// <param name="Limits">Of the model itself, over all callers of one tenant.</param>
public sealed record ModelRoute(ModelPattern Pattern, IReadOnlyList<RouteTarget> Targets, LimitSet Limits)
{
    /// <summary>For tenants that name none.</summary>
    public RoutingStrategy Strategy { get; init; }
}
