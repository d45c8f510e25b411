using Microsoft.AspNetCore.Http;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage;

namespace TokenFactory.Inference.Intake;

/// <summary>
/// Opens the exchange and reads the body. First, because every later stop judges what was asked, and the body must be
/// whole in memory to be sent again to the next candidate. Leaves Ask. Fails closed: what cannot be read is refused.
/// </summary>
internal sealed class IntakeMiddleware
{
    private readonly RequestDelegate _next;
    private readonly SnapshotStore _snapshots;
    private readonly IntakeOptions _options;
    private readonly TimeProvider _clock;
    private readonly BodyReader _reader;

    public IntakeMiddleware(RequestDelegate next, SnapshotStore snapshots, BodyBudget budget, IntakeOptions options, GatewayMetrics metrics, TimeProvider clock)
    {
        _next = next;
        _snapshots = snapshots;
        _options = options;
        _clock = clock;
        _reader = new BodyReader(budget, options.BodyLimitBytes);
        metrics.ObserveReservedBytes(() => budget.ReservedBytes);
    }

    public async Task InvokeAsync(HttpContext context)
    {
        var id = Ids.New(_clock);
        var route = InferenceRoutes.Of(context);
        var operation = context.Features.Get<Rewritten>()?.Operation ?? route.Operation;
        context.Response.Headers[GatewayHeaders.RequestId] = id.ToString("D");
        if (route.Dialect == Dialect.Anthropic)
        {
            context.Response.Headers[GatewayHeaders.AnthropicRequestId] = id.ToString("D");
        }

        if (_snapshots.Current is not { } snapshot)
        {
            await context.RefuseAsync(GatewayError.StaleReadModel);
            return;
        }

        var exchange = new Exchange(id, operation, snapshot, _clock, route.Dialect);
        context.Features.Set(exchange);

        if (Framing.Judge(context.Request) is { } framing)
        {
            await context.RefuseAsync(framing);
            return;
        }

        var (body, unread) = await _reader.ReadAsync(context.Request, context.RequestAborted);
        if (body is null)
        {
            await context.RefuseAsync(unread!);
            return;
        }

        using (body)
        {
            var (ask, refusal) = AskReader.Read(body, exchange.Operation, _options.MaxDepth, exchange.Dialect);
            if (ask is null)
            {
                await context.RefuseAsync(refusal!);
                return;
            }

            var (governance, misunderstood) = GovernanceReader.Read(context.Request.Headers, ask.Metadata);
            if (governance is null)
            {
                await context.RefuseAsync(misunderstood!);
                return;
            }

            exchange.Ask = ask with { Governance = governance };
            await _next(context);
        }
    }
}
