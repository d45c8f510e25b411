using TokenFactory.Inference.Access;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.ReadModel.Policies;
using TokenFactory.Inference.ReadModel.Routes;

namespace TokenFactory.Inference.Policy;

/// <summary>Bundle, tenant and request → decision, for whatever wants to know: the path, or an explanation.</summary>
internal static class PolicyRules
{
    /// <summary>The decision, and why the request is refused; no decision where the bundle does not know what the caller declares.</summary>
    public static (Decision? Decision, GatewayError? Refusal) Judge(PolicyBundle bundle, Caller caller, Ask ask, ModelRoute route, Guid id)
    {
        var tenant = caller.Tenant;
        var question = new PolicyQuestion(tenant.Name, caller.Project.Name, tenant.Tier?.Name, tenant.Region, ask.Model, route.Pattern.ToString(), ask.Governance);
        if (PolicyEngine.UnknownWord(bundle, question) is { } attribute)
        {
            return (null, GatewayError.UnknownGovernance(PolicyWords.Of(attribute)));
        }

        var verdict = PolicyEngine.Judge(bundle, question);
        var decision = new Decision(id.ToString("D"), Regions(tenant.Region, ask.Governance.Region), tenant, bundle.Version, verdict) { AskedModel = ask.Model };
        if (verdict.IsDenied)
        {
            return (decision, GatewayError.PolicyDenied(verdict.Reasons, verdict.DeniedBy));
        }

        return (decision, RefusalOf(decision, route));
    }

    /// <summary>The decision with what the decision endpoint made of it, and why the request is refused after all.</summary>
    public static (Decision Decision, GatewayError? Refusal) Narrow(Decision decision, ModelRoute route, ExternalAnswer answer)
    {
        var narrowed = decision with { External = answer };
        return (narrowed, answer.Refusal ?? RefusalOf(narrowed, route));
    }

    /// <summary>Null while one deployment is permitted.</summary>
    private static GatewayError? RefusalOf(Decision decision, ModelRoute route)
    {
        SortedSet<string>? reasons = null, rules = null;
        foreach (var target in route.Targets)
        {
            if (decision.ExclusionOf(target.Deployment) is not { } exclusion)
            {
                return null;
            }

            (reasons ??= new(StringComparer.Ordinal)).Add(exclusion.Reason);
            if (exclusion.Rule is { } rule)
            {
                (rules ??= new(StringComparer.Ordinal)).Add(rule);
            }
        }

        return GatewayError.PolicyDenied(reasons ?? [], [.. rules ?? []]);
    }

    /// <summary>The deployments of the route that the decision leaves out.</summary>
    public static IReadOnlyList<Exclusion> Exclusions(Decision decision, ModelRoute route) =>
        [.. route.Targets.Select(target => decision.ExclusionOf(target.Deployment) is { } excluded ? new Exclusion(target.Deployment.Name, excluded.Reason, excluded.Rule) : null).OfType<Exclusion>()];

    // What the caller names can only narrow: both must cover the deployment.
    private static string[] Regions(string? tenant, string? asked) => (tenant, asked) switch
    {
        (null, null) => [],
        (null, { } one) => [one],
        ({ } one, null) => [one],
        ({ } one, { } other) => [one, other],
    };
}
