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
        context.Response.Headers[GatewayHeaders.RequestId] = id.ToString("D");
        if (_snapshots.Current is not { } snapshot)
        {
            await context.RefuseAsync(GatewayError.StaleReadModel);
            return;
        }

        var exchange = new Exchange(id, InferenceRoutes.OperationOf(context), snapshot, _clock);
        context.Features.Set(exchange);

        if (Framing(context.Request) is { } framing)
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
            var (ask, refusal) = AskReader.Read(body, exchange.Operation, _options.MaxDepth);
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

    private static GatewayError? Framing(HttpRequest request)
    {
        // Two lengths are how requests are smuggled past a proxy: nobody may choose between them, so it is refused.
        // Kestrel keeps the overridden Content-Length under this name.
        if (request.Headers.TransferEncoding.Count > 0 && (request.ContentLength is not null || request.Headers.ContainsKey("X-Content-Length")))
        {
            return GatewayError.AmbiguousLength;
        }

        return IsJson(request.ContentType) && request.Headers.ContentEncoding.Count == 0 ? null : GatewayError.UnsupportedMediaType;
    }

    private static bool IsJson(string? contentType)
    {
        const string Json = "application/json";
        return contentType is not null
            && contentType.StartsWith(Json, StringComparison.OrdinalIgnoreCase)
            && (contentType.Length == Json.Length || contentType[Json.Length] is ';' or ' ');
    }
}
