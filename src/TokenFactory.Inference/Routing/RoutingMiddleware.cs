using Microsoft.AspNetCore.Http;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Routes;

namespace TokenFactory.Inference.Routing;

/// <summary>Orders the deployments that can serve the request. Needs Route, Ask and Decision. Leaves Plan. Refuses when none can.</summary>
internal sealed class RoutingMiddleware(RequestDelegate next, Planner planner, Denials denials)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var exchange = context.Exchange;
        var plan = planner.Plan(exchange.Route, exchange.Ask, exchange.Decision);
        if (plan.Candidates.Count == 0)
        {
            await denials.RefuseAsync(context, Refusal(exchange.Ask, exchange.Route, plan), exchange.Decision, plan.Exclusions);
            return;
        }

        exchange.Plan = plan;
        await next(context);
    }

    /// <summary>Why nothing is left of a route.</summary>
    public static GatewayError Refusal(Ask ask, ModelRoute route, Plan plan)
    {
        if (ask.Conversation is { } conversation)
        {
            var reasons = plan.Exclusions.Where(e => e.Deployment == conversation.Deployment).Select(e => e.Reason).ToArray();
            if (!reasons.Contains("context"))
            {
                return Array.TrueForAll(reasons, static reason => reason == Planner.Disabled) ? GatewayError.ConversationUnavailable : GatewayError.ConversationExcluded(reasons);
            }
        }

        if (plan.Exclusions.Any(e => e.Reason == "context"))
        {
            var largest = route.Targets.Max(t => t.Deployment.MaxContext ?? 0);
            return GatewayError.ContextExceeded(ask.InputParam, largest, ask.InputBound + (ask.MaxOutputTokens ?? 1));
        }

        return plan.Exclusions.Any(e => e.Reason == Planner.Disabled) ? GatewayError.NoBackend
            : plan.Exclusions.Any(e => e.Reason == "operation") ? GatewayError.OperationNotServed(ask.Model, OperationNames.Of(ask.Operation))
            : GatewayError.PolicyDenied(plan.Exclusions.Select(e => e.Reason).Distinct(), [.. plan.Exclusions.Select(e => e.Rule).OfType<string>().Distinct()]);
    }
}
