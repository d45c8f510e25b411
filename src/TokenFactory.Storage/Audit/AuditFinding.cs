namespace TokenFactory.Storage.Audit;

/// <summary>Something in the trail that no gateway wrote.</summary>
/// <param name="Record">The record's id; null where it is a record that is gone.</param>
/// <param name="What">For people: what does not agree.</param>
public sealed record AuditFinding(Guid? Chain, long? Sequence, Guid? Record, string What);

/// <param name="Findings">No more than <see cref="AuditVerifier.MostFindings"/>; none is what a trail that nobody touched has.</param>
/// <param name="IsCut">Whether there are more findings than these.</param>
public sealed record AuditReport(int Chains, long Records, IReadOnlyList<AuditFinding> Findings, bool IsCut);
