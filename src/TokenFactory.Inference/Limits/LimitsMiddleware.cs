using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace TokenFactory.Inference.Limits;

/// <summary>
/// Takes the request's worst-case cost from every limit at once, or refuses it. Needs Caller, Ask and Route. Leaves
/// Reservation, which Ledger settles; what a later stop refuses is given back here. Fails closed: without the limiter
/// nothing bounds spend.
/// </summary>
internal sealed partial class LimitsMiddleware(RequestDelegate next, ILimiter limiter, LearntOutputs learnt, ILogger<LimitsMiddleware> logger)
{
    // Longer than any request should live: a lease that is not settled by then belonged to a process that died.
    private static readonly TimeSpan _lease = TimeSpan.FromHours(1);

    public async Task InvokeAsync(HttpContext context)
    {
        var exchange = context.Exchange;
        var buckets = Buckets.Of(exchange.Caller.Key, exchange.Route);
        if (buckets.Count == 0)
        {
            await next(context);
            return;
        }

        Taking taken;
        try
        {
            taken = await TakeAsync(exchange, buckets, context.RequestAborted);
        }
        catch (LimiterUnavailableException down)
        {
            Log.Unavailable(logger, down);
            await context.RefuseAsync(GatewayError.LimiterUnavailable);
            return;
        }

        RateHeaders.Write(context.Response.Headers, taken.Levels);
        if (taken.Refusal is { } refusal)
        {
            Log.Refused(logger, exchange.Caller.Tenant.Name, refusal.Bucket.Subject, refusal.Bucket.Dimension, refusal.RetryAfter);
            await context.RefuseAsync(GatewayError.RateLimited(refusal));
            return;
        }

        exchange.Reservation = taken.Reservation;
        try
        {
            await next(context);
        }
        finally
        {
            if (!exchange.ReservationSettled)
            {
                // A denial leaves a durable record: who asks on and on for what is denied is asked to wait like anybody.
                await limiter.SettleAsync(taken.Reservation!, exchange.IsDenied ? Actual.Of(tokens: 0, nanoUsd: 0) : Actual.Nothing, CancellationToken.None);
            }
        }
    }

    private async ValueTask<Taking> TakeAsync(Exchange exchange, IReadOnlyList<Bucket> buckets, CancellationToken cancel)
    {
        var taken = await limiter.TakeAsync(Worst.Of(exchange, buckets, learnt, _lease), cancel);
        if (taken.Refusal is not { Bucket.Dimension: Dimension.TokensPerMinute or Dimension.TokensPerMonth or Dimension.NanoUsdPerMonth }
            || exchange.Ask.CountedInput is not null)
        {
            return taken;
        }

        // The answer depends on the input's size, so now it is worth counting: the bound alone would refuse what fits.
        exchange.Ask.CountInput();
        return await limiter.TakeAsync(Worst.Of(exchange, buckets, learnt, _lease), cancel);
    }

    private static partial class Log
    {
        [LoggerMessage(4001, LogLevel.Information, "Refused {Tenant}: {Dimension} of {Subject}, retry after {RetryAfter}")]
        public static partial void Refused(ILogger logger, string tenant, string subject, Dimension dimension, TimeSpan? retryAfter);

        [LoggerMessage(4002, LogLevel.Error, "The limiter cannot be asked; requests are refused")]
        public static partial void Unavailable(ILogger logger, Exception cause);
    }
}
