using TokenFactory.Inference.Intake;
using TokenFactory.Inference.ReadModel.Policies;

namespace TokenFactory.Inference.Policy;

/// <summary>What the rules judge: who asks, for what, and what they say of it.</summary>
/// <param name="Tier">The tenant's service level; null when it has none.</param>
public sealed record PolicyQuestion(string Tenant, string Project, string? Tier, string Model, Governance Governance)
{
    /// <summary>
    /// The words the request has for an attribute. A tier can have two, the key's and the declared one: what restricts
    /// holds for either, what allows must hold for both, so that declaring another tier never widens.
    /// </summary>
    internal (string First, string? Second) WordsOf(PolicyAttribute attribute) => attribute switch
    {
        PolicyAttribute.Tenant => (Tenant, null),
        PolicyAttribute.Project => (Project, null),
        PolicyAttribute.Model => (Model, null),
        PolicyAttribute.Tier => (Tier ?? Governance.Tier ?? RuleCondition.Undeclared, Tier is null || Governance.Tier == Tier ? null : Governance.Tier),
        PolicyAttribute.Environment => (Governance.Environment ?? RuleCondition.Undeclared, null),
        PolicyAttribute.UseCase => (Governance.UseCase ?? RuleCondition.Undeclared, null),
        PolicyAttribute.UserRole => (Governance.UserRole ?? RuleCondition.Undeclared, null),
        PolicyAttribute.Region => (Governance.Region ?? RuleCondition.Undeclared, null),
        PolicyAttribute.Classification => (Governance.Classification ?? RuleCondition.Undeclared, null),
        PolicyAttribute.SafetyProfile => (Governance.SafetyProfile ?? RuleCondition.Undeclared, null),
        _ => throw new ArgumentOutOfRangeException(nameof(attribute), attribute, "controls are many words: they have conditions of their own"),
    };
}

/// <summary>What a bundle says of a request.</summary>
/// <param name="Rules">The ids of the rules that matched, in the bundle's order.</param>
/// <param name="Reasons">Reason codes of the denial; empty when the request may go on.</param>
/// <param name="DeniedBy">The rules that deny; empty when no rule allowed what the bundle denies by default.</param>
/// <param name="Restrictions">All of them bind every hop.</param>
public sealed record Verdict(IReadOnlyList<string> Rules, IReadOnlyList<string> Reasons, IReadOnlyList<string> DeniedBy, IReadOnlyList<Restriction> Restrictions)
{
    public static Verdict Nothing { get; } = new([], [], [], []);

    public bool IsDenied => Reasons.Count > 0;
}
