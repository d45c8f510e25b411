using TokenFactory.Inference.Intake;
using TokenFactory.Inference.ReadModel.Policies;

namespace TokenFactory.Inference.Policy;

/// <summary>What the rules judge: who asks, for what, and what they say of it.</summary>
/// <param name="Tier">The tenant's service level; null when it has none.</param>
/// <param name="Residency">The tenant's region; null when it has none.</param>
/// <param name="Model">The name asked for.</param>
/// <param name="Route">The name or pattern of the registry that serves it.</param>
public sealed record PolicyQuestion(string Tenant, string Project, string? Tier, string? Residency, string Model, string Route, Governance Governance)
{
    /// <summary>
    /// The words the request has for an attribute. Some can have two, what the operator set and what the caller says: what
    /// restricts holds for either, what allows must hold for both, so that saying something else never widens.
    /// </summary>
    internal (string First, string? Second) WordsOf(PolicyAttribute attribute) => attribute switch
    {
        PolicyAttribute.Tenant => (Tenant, null),
        PolicyAttribute.Project => (Project, null),
        PolicyAttribute.Model => (Model, Route == Model ? null : Route),
        PolicyAttribute.Tier => (Tier ?? RuleCondition.Undeclared, Governance.Tier),
        PolicyAttribute.Region => (Residency ?? RuleCondition.Undeclared, Governance.Region),
        PolicyAttribute.Environment => (Governance.Environment ?? RuleCondition.Undeclared, null),
        PolicyAttribute.UseCase => (Governance.UseCase ?? RuleCondition.Undeclared, null),
        PolicyAttribute.UserRole => (Governance.UserRole ?? RuleCondition.Undeclared, null),
        PolicyAttribute.Classification => (Governance.Classification ?? RuleCondition.Undeclared, null),
        PolicyAttribute.SafetyProfile => (Governance.SafetyProfile ?? RuleCondition.Undeclared, null),
        _ => throw new ArgumentOutOfRangeException(nameof(attribute), attribute, "controls are many words: they have conditions of their own"),
    };

    /// <summary>What the caller itself says; null when it says nothing, or the attribute is not one of which it can.</summary>
    internal string? DeclaredOf(PolicyAttribute attribute) => attribute switch
    {
        PolicyAttribute.Tier => Governance.Tier,
        PolicyAttribute.Region => Governance.Region,
        PolicyAttribute.Environment => Governance.Environment,
        PolicyAttribute.UseCase => Governance.UseCase,
        PolicyAttribute.UserRole => Governance.UserRole,
        PolicyAttribute.Classification => Governance.Classification,
        PolicyAttribute.SafetyProfile => Governance.SafetyProfile,
        _ => null,
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
