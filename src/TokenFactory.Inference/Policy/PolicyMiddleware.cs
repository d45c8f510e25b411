using Microsoft.AspNetCore.Http;
using TokenFactory.Inference.ReadModel.Policies;
using TokenFactory.Storage;

namespace TokenFactory.Inference.Policy;

/// <summary>
/// Where may this request's data go? Needs Caller, Ask and Route. Leaves Decision, a hard filter that Routing and every
/// failover obey. Fails closed: when no deployment of the model is permitted, the request is refused with the reasons.
/// </summary>
internal sealed class PolicyMiddleware(RequestDelegate next, TimeProvider clock)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var exchange = context.Exchange;
        var (tenant, bundle) = (exchange.Caller.Tenant, exchange.Snapshot.Policy);
        var question = new PolicyQuestion(tenant.Name, exchange.Caller.Project.Name, tenant.Tier?.Name, exchange.Ask.Model, exchange.Ask.Governance);
        if (PolicyEngine.UnknownWord(bundle, question) is { } attribute)
        {
            await context.RefuseAsync(GatewayError.UnknownGovernance(PolicyWords.Of(attribute), bundle.Vocabulary[attribute].Order(StringComparer.Ordinal)));
            return;
        }

        var verdict = PolicyEngine.Judge(bundle, question);
        var decision = new Decision(Ids.New(clock).ToString("D"), Regions(tenant.Region, exchange.Ask.Governance.Region), tenant, bundle.Version, verdict);
        context.Response.Headers[GatewayHeaders.PolicyDecision] = decision.Id;
        if (verdict.IsDenied)
        {
            await context.RefuseAsync(GatewayError.PolicyDenied(verdict.Reasons, verdict.DeniedBy));
            return;
        }

        SortedSet<string> reasons = new(StringComparer.Ordinal), rules = new(StringComparer.Ordinal);
        foreach (var target in exchange.Route.Targets)
        {
            if (decision.ExclusionOf(target.Deployment) is not { } exclusion)
            {
                exchange.Decision = decision;
                await next(context);
                return;
            }

            reasons.Add(exclusion.Reason);
            if (exclusion.Rule is { } rule)
            {
                rules.Add(rule);
            }
        }

        await context.RefuseAsync(GatewayError.PolicyDenied(reasons, [.. rules]));
    }

    // What the caller names can only narrow: both must cover the deployment.
    private static string[] Regions(string? tenant, string? asked) => (tenant, asked) switch
    {
        (null, null) => [],
        (null, { } one) => [one],
        ({ } one, null) => [one],
        ({ } one, { } other) => [one, other],
    };
}
