using TokenFactory.Inference.ReadModel.Policies;

namespace TokenFactory.Inference.Policy;

/// <summary>What the shadow bundle would have made of a request, beside what became of it.</summary>
/// <param name="Reasons">Why it would have been refused; empty when it would not.</param>
/// <param name="Excluded">Deployments that would have been left out in addition.</param>
/// <param name="Admitted">Deployments that would not have been left out any more.</param>
public sealed record ShadowVerdict(ShadowOutcome Outcome, IReadOnlyList<string> Reasons, IReadOnlyList<Exclusion> Excluded, IReadOnlyList<string> Admitted)
{
    public static ShadowVerdict Agreed { get; } = new(ShadowOutcome.Agreed, [], [], []);

    /// <summary>As evidence and metrics have it.</summary>
    public string Word => Outcome switch
    {
        ShadowOutcome.WouldDeny => "would_deny",
        ShadowOutcome.WouldAllow => "would_allow",
        ShadowOutcome.WouldRestrict => "would_restrict",
        ShadowOutcome.WouldWiden => "would_widen",
        _ => PolicyWords.Agreed,
    };
}

public enum ShadowOutcome
{
    /// <summary>The same deployments, or refused by both.</summary>
    Agreed,

    /// <summary>It would have been refused.</summary>
    WouldDeny,

    /// <summary>It was refused, and would not have been.</summary>
    WouldAllow,

    /// <summary>Fewer deployments, or others.</summary>
    WouldRestrict,

    /// <summary>More deployments, and none less.</summary>
    WouldWiden,
}
