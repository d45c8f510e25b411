using TokenFactory.Inference.ReadModel.Policies;

namespace TokenFactory.Administration.Policies;

/// <summary>A bundle's file: the rules, and the cases it brings along to be tested by.</summary>
public sealed record PolicyDocument(PolicyBundle Bundle, IReadOnlyList<PolicyCase> Cases);
