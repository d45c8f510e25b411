using Microsoft.AspNetCore.Http;
using TokenFactory.Storage;

namespace TokenFactory.Inference.Policy;

/// <summary>
/// Where may this request's data go? Needs Caller, Ask and Route. Leaves Decision, a hard filter that Routing and every
/// failover obey. Fails closed: when no deployment of the model is permitted, or the decision endpoint gives no clear
/// answer, the request is refused with the reasons, on record.
/// </summary>
internal sealed class PolicyMiddleware(RequestDelegate next, Denials denials, DecisionEndpoint endpoint, GatewayMetrics metrics, TimeProvider clock)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var exchange = context.Exchange;
        var snapshot = exchange.Snapshot;
        var (decision, refusal) = PolicyRules.Judge(snapshot.Policy, exchange.Caller, exchange.Ask, exchange.Route, Ids.New(clock));
        if (snapshot.ShadowPolicy is { } shadow)
        {
            exchange.Shadow = ShadowRules.Compare(shadow, exchange.Caller, exchange.Ask, exchange.Route, decision, refusal);
            metrics.Shadowed(exchange.Shadow.Word);
        }

        if (snapshot.ExternalPolicy is { } external && refusal is null)
        {
            var answer = await endpoint.AskAsync(external, ExternalQuestion.Write(exchange, decision!), context.RequestAborted);
            (decision, refusal) = PolicyRules.Narrow(decision!, exchange.Route, answer);
        }

        if (decision is not null)
        {
            context.Response.Headers[GatewayHeaders.PolicyDecision] = decision.Id;
        }

        if (refusal is not null)
        {
            await denials.RefuseAsync(context, refusal, decision, decision is null ? [] : PolicyRules.Exclusions(decision, exchange.Route));
            return;
        }

        exchange.Decision = decision!;
        await next(context);
    }
}
