using Microsoft.AspNetCore.Http;

namespace TokenFactory.Inference.Routing;

/// <summary>Orders the deployments that can serve the request. Needs Route, Ask and Decision. Leaves Plan. Refuses when none can.</summary>
internal sealed class RoutingMiddleware(RequestDelegate next, Planner planner)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var exchange = context.Exchange;
        var plan = planner.Plan(exchange.Route, exchange.Ask, exchange.Decision);
        if (plan.Candidates.Count == 0)
        {
            await context.RefuseAsync(Refusal(exchange, plan));
            return;
        }

        exchange.Plan = plan;
        await next(context);
    }

    private static GatewayError Refusal(Exchange exchange, Plan plan)
    {
        var ask = exchange.Ask;
        if (plan.Exclusions.Any(e => e.Reason == "context"))
        {
            var largest = exchange.Route.Targets.Max(t => t.Deployment.MaxContext ?? 0);
            return GatewayError.ContextExceeded(ask.InputParam, largest, ask.InputBound + (ask.MaxOutputTokens ?? 1));
        }

        return plan.Exclusions.Any(e => e.Reason == "operation")
            ? GatewayError.OperationNotServed(ask.Model, InferenceRoutes.Of(ask.Operation).Id)
            : GatewayError.PolicyDenied(plan.Exclusions.Select(e => e.Reason).Distinct());
    }
}
