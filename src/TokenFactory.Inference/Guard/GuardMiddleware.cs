using Microsoft.AspNetCore.Http;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Guard;

/// <summary>
/// May this key ask this of this model? Needs Ask and Caller. Leaves the model's Route. Before Limits, because what may not
/// be asked must not consume anything. Fails closed: each check refuses unless it says yes.
/// </summary>
internal sealed class GuardMiddleware(RequestDelegate next, GuardOptions options)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var exchange = context.Exchange;
        if (Judge(exchange) is { } refusal)
        {
            await context.RefuseAsync(refusal);
            return;
        }

        await next(context);
    }

    private GatewayError? Judge(Exchange exchange)
    {
        var (ask, caller) = (exchange.Ask, exchange.Caller);
        var scope = InferenceRoutes.Of(exchange.Operation).Scope;
        if (!Scopes.Grants(caller.Key.Scopes, scope))
        {
            return GatewayError.MissingScope(scope);
        }

        if (exchange.Snapshot.Registry.Find(ask.Model) is not { } route)
        {
            return GatewayError.ModelNotFound(ask.Model);
        }

        if (!caller.MayUse(ask.Model))
        {
            return GatewayError.ModelNotAllowed(ask.Model);
        }

        exchange.Route = route;
        return InputFits(ask, caller.Tier) ?? ContextFits(ask, route);
    }

    private GatewayError? InputFits(Ask ask, Tier tier)
    {
        var limit = Least(tier.MaxInputTokens, options.MaxInputTokens);
        return limit is { } most && Exceeds(ask, most)
            ? GatewayError.ContextExceeded(ask.InputParam, most, ask.InputBound)
            : null;
    }

    /// <summary>Refuses what no deployment of the model could hold; which of them can is Routing's question.</summary>
    private static GatewayError? ContextFits(Ask ask, ModelRoute route)
    {
        long largest = 0;
        foreach (var target in route.Targets)
        {
            if (target.Deployment.MaxContext is not { } context)
            {
                return null;
            }

            largest = Math.Max(largest, context);
        }

        var output = ask.MaxOutputTokens ?? 1;
        return Exceeds(ask, largest - output) ? GatewayError.ContextExceeded(ask.InputParam, largest, ask.InputBound + output) : null;
    }

    // Tokens never exceed bytes: an input far below the bound needs no tokenizer.
    private static bool Exceeds(Ask ask, long limitTokens) =>
        ask.InputBound > limitTokens && ask.CountInput() > limitTokens;

    private static long? Least(long? left, long? right) => left is null || right < left ? right ?? left : left;
}
