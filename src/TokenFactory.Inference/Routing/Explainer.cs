using TokenFactory.Inference.Access;
using TokenFactory.Inference.Guard;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.Policy;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage;

namespace TokenFactory.Inference.Routing;

/// <summary>Walks a request that nobody sent through the judging stops.</summary>
public static class Explainer
{
    public static Explanation Explain(Snapshot snapshot, ApiKey key, ImaginedRequest request, GuardOptions guard, TimeProvider clock)
    {
        var ask = Ask.Imagined(request.Operation, request.Model, request.InputTokens, request.MaxOutputTokens, request.Governance);
        var caller = new Caller(key);
        if (key.IsRevoked || key.ExpiresAt <= clock.GetUtcNow())
        {
            return Refused(key.IsRevoked ? GatewayError.RevokedKey : GatewayError.ExpiredKey);
        }

        var (route, refusal) = new GuardRules(guard).Judge(snapshot, caller, ask);
        if (route is null)
        {
            return Refused(refusal!);
        }

        var (decision, denial) = PolicyRules.Judge(snapshot.Policy, caller, ask, route, Ids.New(clock));
        var shadow = snapshot.ShadowPolicy is { } bundle ? new ExplainedShadow(bundle.Version, ShadowRules.Compare(bundle, caller, ask, route, decision, denial)) : null;
        if (decision is null)
        {
            return Refused(denial!) with { BundleVersion = snapshot.Policy.Version, Shadow = shadow };
        }

        var plan = new Planner(Random.Shared).Plan(route, ask, decision);
        return new Explanation(
            denial ?? (plan.Candidates.Count == 0 ? RoutingMiddleware.Refusal(ask, route, plan) : null),
            decision.BundleVersion,
            decision.Verdict.Rules,
            denial is null ? [.. plan.Candidates.Select(one => new ExplainedCandidate(one.Name, one.Provider.Name, one.EffectiveRegion, Planner.WorstCostNanoUsd(one, ask, request.InputTokens)))] : [],
            [.. plan.Exclusions.Select(one => Exclusion(snapshot.Registry.Deployments[one.Deployment], one))])
        { Shadow = shadow, External = denial is null ? snapshot.ExternalPolicy?.Origin : null };
    }

    private static Explanation Refused(GatewayError error) => new(error, null, [], [], []);

    private static ExplainedExclusion Exclusion(Deployment deployment, Exclusion exclusion) =>
        new(deployment.Name, deployment.Provider.Name, deployment.EffectiveRegion, exclusion.Reason, exclusion.Rule);
}
