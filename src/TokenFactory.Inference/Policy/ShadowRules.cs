using TokenFactory.Inference.Access;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.ReadModel.Policies;
using TokenFactory.Inference.ReadModel.Routes;

namespace TokenFactory.Inference.Policy;

/// <summary>Judges a request by the shadow bundle too, and tells what would have been different. Nothing that happens rests on it.</summary>
internal static class ShadowRules
{
    /// <param name="decision">By the bundle in force; null where it did not know the caller's words.</param>
    /// <param name="refusal">By the bundle in force; null where the request goes on.</param>
    public static ShadowVerdict Compare(PolicyBundle shadow, Caller caller, Ask ask, ModelRoute route, Decision? decision, GatewayError? refusal)
    {
        var (other, denial) = PolicyRules.Judge(shadow, caller, ask, route, Guid.Empty);
        if (denial is not null && refusal is not null)
        {
            return ShadowVerdict.Agreed;
        }

        List<Exclusion>? excluded = null;
        List<string>? admitted = null;
        if (decision is not null && other is not null)
        {
            foreach (var target in route.Targets)
            {
                var (inForce, would) = (decision.ExclusionOf(target.Deployment), other.ExclusionOf(target.Deployment));
                if (would is { } exclusion && inForce is null)
                {
                    (excluded ??= []).Add(new Exclusion(target.Deployment.Name, exclusion.Reason, exclusion.Rule));
                }
                else if (would is null && inForce is not null)
                {
                    (admitted ??= []).Add(target.Deployment.Name);
                }
            }
        }

        var outcome = (denial, refusal) switch
        {
            (not null, _) => ShadowOutcome.WouldDeny,
            (_, not null) => ShadowOutcome.WouldAllow,
            _ when excluded is not null => ShadowOutcome.WouldRestrict,
            _ when admitted is not null => ShadowOutcome.WouldWiden,
            _ => ShadowOutcome.Agreed,
        };
        return outcome == ShadowOutcome.Agreed ? ShadowVerdict.Agreed : new ShadowVerdict(outcome, ReasonsOf(other, denial, route), excluded ?? [], admitted ?? []);
    }

    private static IReadOnlyList<string> ReasonsOf(Decision? decision, GatewayError? denial, ModelRoute route) => (decision, denial) switch
    {
        (_, null) => [],
        (null, _) => [denial.Code ?? denial.Label],
        ({ Verdict.IsDenied: true }, _) => decision.Verdict.Reasons,
        _ => [.. PolicyRules.Exclusions(decision, route).Select(exclusion => exclusion.Reason).Distinct(StringComparer.Ordinal)],
    };
}
