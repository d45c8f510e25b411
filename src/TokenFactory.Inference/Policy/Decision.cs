using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Policy;

/// <summary>What the policy said of one request. It binds every hop: first choice, failover, and whatever else may see the data.</summary>
/// <param name="Id">Told in the response, the admission and the event.</param>
/// <param name="Regions">Every one of them must cover the deployment's region; empty is anywhere.</param>
/// <param name="BundleVersion">The rules it was judged by.</param>
internal sealed record Decision(string Id, IReadOnlyList<string> Regions, Tenant Tenant, string BundleVersion, Verdict Verdict)
{
    /// <summary>The name the caller used: what a deployment without a model of its own asks for.</summary>
    public string AskedModel { get; init; } = "";

    /// <summary>What the decision endpoint made of it; null where none was asked.</summary>
    public ExternalAnswer? External { get; init; }

    /// <summary>Why a deployment may not see the data, and the bundle's rule that says so; the rule is null where the tenant's own policy does.</summary>
    public (string Reason, string? Rule)? ExclusionOf(Deployment deployment)
    {
        // What answers inside never leaves the process, so neither the tenant's region nor its providers apply to it.
        var isInside = deployment.Provider.IsInside;
        if (!isInside && ReasonOfTenant(deployment) is { } reason)
        {
            return (reason, null);
        }

        foreach (var restriction in Verdict.Restrictions)
        {
            if (restriction.ReasonAgainst(deployment, AskedModel) is { } restricted)
            {
                return (restricted, restriction.Rule);
            }
        }

        return !isInside && External?.ReasonAgainst(deployment, AskedModel) is { } external ? (external, null) : null;
    }

    private string? ReasonOfTenant(Deployment deployment)
    {
        var provider = deployment.Provider.Name;
        var routing = Tenant.Routing;
        if (routing.DeniedProviders.Contains(provider))
        {
            return "provider_denied";
        }

        if (routing.AllowedProviders.Count > 0 && !routing.AllowedProviders.Contains(provider))
        {
            return "provider_not_allowed";
        }

        if (routing.Strategy == RoutingStrategy.Pinned && provider != routing.PreferredProvider)
        {
            return "provider_not_pinned";
        }

        foreach (var region in Regions)
        {
            if (!Region.Covers(region, deployment.EffectiveRegion))
            {
                return "residency";
            }
        }

        return null;
    }
}
