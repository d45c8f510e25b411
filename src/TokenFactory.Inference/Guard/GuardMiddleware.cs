using Microsoft.AspNetCore.Http;

namespace TokenFactory.Inference.Guard;

/// <summary>
/// May this key ask this of this model? Needs Ask and Caller. Leaves the model's Route. Before Limits, because what may not
/// be asked must not consume anything. Fails closed: each check refuses unless it says yes.
/// </summary>
internal sealed class GuardMiddleware(RequestDelegate next, GuardOptions options)
{
    private readonly GuardRules _rules = new(options);

    public async Task InvokeAsync(HttpContext context)
    {
        var exchange = context.Exchange;
        var (route, refusal) = _rules.Judge(exchange.Snapshot, exchange.Caller, exchange.Ask);
        if (route is null)
        {
            await context.RefuseAsync(refusal!);
            return;
        }

        if (exchange.Ask.PreviousResponseId is { } previous)
        {
            var (conversation, lost) = GuardRules.Continue(exchange.Snapshot, exchange.Caller, route, previous);
            if (conversation is null)
            {
                await context.RefuseAsync(lost!);
                return;
            }

            exchange.Ask = exchange.Ask with { Conversation = conversation };
            if (_rules.TooLong(exchange.Ask, exchange.Caller.Tier, route) is { } tooLong)
            {
                await context.RefuseAsync(tooLong);
                return;
            }
        }

        exchange.Route = route;
        await next(context);
    }
}
