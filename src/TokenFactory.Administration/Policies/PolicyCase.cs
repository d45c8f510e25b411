using TokenFactory.Inference.Policy;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Policies;

namespace TokenFactory.Administration.Policies;

/// <summary>A request and what the bundle must say of it.</summary>
public sealed record PolicyCase
{
    public required string Name { get; init; }

    public required PolicyQuestion Question { get; init; }

    /// <summary>A deployment that asks to see the data; null asks about the request alone.</summary>
    public Deployment? On { get; init; }

    public required bool IsAllowed { get; init; }

    /// <summary>Reason codes, in any order; null leaves them open.</summary>
    public IReadOnlyList<string>? Reasons { get; init; }

    /// <summary>The rules that match, in the bundle's order; null leaves them open.</summary>
    public IReadOnlyList<string>? Rules { get; init; }

    /// <summary>What differs from the expectation; null when nothing does.</summary>
    public string? FaultIn(PolicyBundle bundle)
    {
        if (PolicyEngine.UnknownWord(bundle, Question) is { } unknown)
        {
            return $"the bundle does not know this {PolicyWords.Of(unknown)}";
        }

        var verdict = PolicyEngine.Judge(bundle, Question);
        List<string> reasons = [.. verdict.Reasons];
        if (On is not null)
        {
            reasons.AddRange(verdict.Restrictions.Select(restriction => restriction.ReasonAgainst(On, Question.Model)).OfType<string>().Distinct());
        }

        var told = reasons.Count == 0 ? "allowed" : $"denied: {string.Join(", ", reasons)}";
        if (IsAllowed != (reasons.Count == 0))
        {
            return $"expected {(IsAllowed ? "allow" : "deny")}, and it is {told}";
        }

        if (Reasons is not null && !Reasons.Order(StringComparer.Ordinal).SequenceEqual(reasons.Order(StringComparer.Ordinal)))
        {
            return $"expected the reasons {string.Join(", ", Reasons)}, and it is {told}";
        }

        return Rules is not null && !Rules.SequenceEqual(verdict.Rules)
            ? $"expected the rules {string.Join(", ", Rules)}, and those that match are {(verdict.Rules.Count == 0 ? "none" : string.Join(", ", verdict.Rules))}"
            : null;
    }
}
