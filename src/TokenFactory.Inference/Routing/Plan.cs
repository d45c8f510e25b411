using TokenFactory.Inference.Policy;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Routing;

/// <summary>The candidates in the order they are tried, and why the others are not among them.</summary>
internal sealed record Plan(IReadOnlyList<Deployment> Candidates, IReadOnlyList<Exclusion> Exclusions);
