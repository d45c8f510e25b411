using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using TokenFactory.Inference.Access;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Models;

/// <summary>
/// <c>POST /v1/messages/count_tokens</c>: how many tokens a message has, by the gateway's own tokenizer. No backend hears of it: a
/// prompt that is only to be counted goes nowhere, whatever policy would say of the places it could go to. The figure is the one that
/// limits and reservations go by; a vendor's own count may differ, as its documentation says of its own estimate.
/// </summary>
internal static class TokenCountEndpoint
{
    // Counting more than this costs more than the figure is worth; it is estimated from its bytes.
    private const long CountedInputBytes = 1024 * 1024;

    // It takes no limit of the key, so it takes at most these turns of the machine.
    private static readonly SemaphoreSlim _turns = new(Math.Max(1, Environment.ProcessorCount / 2));

    public static void MapTokenCount(this IEndpointRouteBuilder app) =>
        app.MapPost("/v1/messages/count_tokens", CountAsync).RequireKey(Scopes.Chat);

    private static async Task CountAsync(HttpContext context, BodyBudget budget, IntakeOptions options)
    {
        if (Framing.Judge(context.Request) is { } framing)
        {
            await context.RefuseAsync(framing);
            return;
        }

        var (body, unread) = await new BodyReader(budget, options.BodyLimitBytes).ReadAsync(context.Request, context.RequestAborted);
        if (body is null)
        {
            await context.RefuseAsync(unread!);
            return;
        }

        using (body)
        {
            var (ask, refusal) = AskReader.Read(body, Operations.Chat, options.MaxDepth, Dialect.Anthropic, countsOnly: true);
            if (ask is null)
            {
                await context.RefuseAsync(refusal!);
                return;
            }

            var (key, snapshot) = context.KeyedCall();
            var caller = new Caller(key);
            if (snapshot.Registry.ModelsOf(caller.Tenant).Find(ask.Model) is null)
            {
                await context.RefuseAsync(GatewayError.ModelNotFound(ask.Model));
                return;
            }

            if (!caller.MayUse(ask.Model))
            {
                await context.RefuseAsync(GatewayError.ModelNotAllowed(ask.Model));
                return;
            }

            if (!await _turns.WaitAsync(TimeSpan.FromSeconds(2), context.RequestAborted))
            {
                await context.RefuseAsync(GatewayError.CountingBusy);
                return;
            }

            long tokens;
            try
            {
                tokens = ask.InputBytes <= CountedInputBytes ? ask.CountInput() : ask.InputEstimate;
            }
            finally
            {
                _turns.Release();
            }

            await Results.Json(new TokenCountView(tokens), ModelJson.Default.TokenCountView).ExecuteAsync(context);
        }
    }
}
