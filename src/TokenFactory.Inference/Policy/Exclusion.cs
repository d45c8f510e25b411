namespace TokenFactory.Inference.Policy;

/// <summary>A deployment of the route that this request may not, or cannot, run on.</summary>
/// <param name="Reason">A reason code: <c>operation</c>, <c>context</c>, <c>conversation</c> (it goes on where another one keeps it), or one of the policy's.</param>
/// <param name="Rule">The bundle's rule that says so; null where none does.</param>
public sealed record Exclusion(string Deployment, string Reason, string? Rule = null);
