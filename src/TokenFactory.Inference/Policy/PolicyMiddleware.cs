using Microsoft.AspNetCore.Http;
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
        var tenant = exchange.Caller.Tenant;
        var decision = new Decision(Ids.New(clock).ToString("D"), Regions(tenant.Region, exchange.Ask.Region), tenant);
        context.Response.Headers[GatewayHeaders.PolicyDecision] = decision.Id;

        SortedSet<string> reasons = new(StringComparer.Ordinal);
        foreach (var target in exchange.Route.Targets)
        {
            if (decision.ReasonAgainst(target.Deployment) is not { } reason)
            {
                exchange.Decision = decision;
                await next(context);
                return;
            }

            reasons.Add(reason);
        }

        await context.RefuseAsync(GatewayError.PolicyDenied(reasons));
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
