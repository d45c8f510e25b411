using TokenFactory.Inference.Intake;
using TokenFactory.Inference.Policy;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Routing;

/// <summary>A request that might be sent.</summary>
public sealed record ImaginedRequest(Operations Operation, string Model, Governance Governance, long InputTokens, long? MaxOutputTokens);

/// <summary>What would become of a request, by the rules the path itself applies. Limits, budgets and health are not asked.</summary>
/// <param name="Refusal">What the caller would be told; null when it would be served.</param>
/// <param name="BundleVersion">The rules it was judged by; null when it did not get that far.</param>
/// <param name="Rules">The bundle's rules that match.</param>
/// <param name="Candidates">In the order they would be tried; where weights decide, the order of one draw.</param>
public sealed record Explanation(
    GatewayError? Refusal, string? BundleVersion, IReadOnlyList<string> Rules, IReadOnlyList<ExplainedCandidate> Candidates, IReadOnlyList<ExplainedExclusion> Exclusions)
{
    /// <summary>What the shadow bundle would change of it; null without one, or when it did not get that far.</summary>
    public ExplainedShadow? Shadow { get; init; }

    /// <summary>The decision endpoint that the request's own way would ask, and that can only narrow this; null without one.</summary>
    public string? External { get; init; }
}

/// <param name="BundleVersion">The shadow bundle's.</param>
public sealed record ExplainedShadow(string BundleVersion, ShadowVerdict Verdict);

/// <param name="MaxCostNanoUsd">If it writes all it may; null when nothing bounds that.</param>
public sealed record ExplainedCandidate(string Deployment, string Provider, string? Region, long? MaxCostNanoUsd);

/// <param name="Rule">The bundle's rule that leaves it out; null where the tenant's own policy or its abilities do.</param>
public sealed record ExplainedExclusion(string Deployment, string Provider, string? Region, string Reason, string? Rule);
