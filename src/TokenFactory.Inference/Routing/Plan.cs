using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Routing;

/// <summary>The candidates in the order they are tried, and why the others are not among them.</summary>
internal sealed record Plan(IReadOnlyList<Deployment> Candidates, IReadOnlyList<Exclusion> Exclusions);

/// <param name="Reason">A reason code: <c>operation</c>, <c>context</c>, or one of the policy's.</param>
/// <param name="Rule">The bundle's rule that says so; null where none does.</param>
internal sealed record Exclusion(string Deployment, string Reason, string? Rule = null);
