using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using TokenFactory.Inference.Dispatch.Running;
using TokenFactory.Inference.Limits;
using TokenFactory.Inference.ModelAudit;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference.Ledger;

/// <summary>
/// Admits the request durably and settles it durably, whatever happens between. Registered around Metering and Dispatch,
/// so it is the last to see every exit: finished, cut by the client, cut by the backend, timed out, failed. The admission's
/// commit overlaps with the dispatch; the answer's last byte waits for the settlement's (P1, P2). Fails closed: what
/// cannot be recorded is not served. Settling never rides on the client's connection.
/// </summary>
internal sealed partial class LedgerMiddleware(
    RequestDelegate next, IJournal journal, RunningRequests running, LateSettlements late, ILimiter limiter, LearntOutputs learnt, AnswerWatch audit, Instance instance, LedgerOptions options, GatewayMetrics metrics, TimeProvider clock, ILogger<LedgerMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var exchange = context.Exchange;
        var admission = Records.AdmissionOf(exchange, instance.Id);
        exchange.Admitted = journal.AdmitAsync(admission);
        if (exchange.Admitted.IsFaulted)
        {
            // Asking the journal anything else here would refuse requests whose admission it has already taken.
            Log.NotRecorded(logger, exchange.RequestId, exchange.Admitted.Exception?.InnerException);
            await context.RefuseAsync(GatewayError.JournalUnavailable);
            return;
        }

        running.Enter(exchange);
        try
        {
            await next(context);
        }
        catch (Exception bug)
        {
            // Whatever it was, the admission is settled and the caller is told: a bug must not cost evidence.
            Log.Bug(logger, exchange.RequestId, bug);
            exchange.AnsweredAt = clock.GetTimestamp();
            exchange.Failure ??= new Failure(Outcome.Failed, GatewayError.Internal, TookPrompt: false);
        }

        // There is nothing left to stop: the settlement says what became of it.
        running.Leave(exchange);
        var settlement = Records.SettlementOf(exchange, admission, clock);
        if (!await SettleAsync(exchange, settlement))
        {
            settlement = Records.Unrecorded(settlement, admitted: !exchange.Admitted.IsFaulted, delivered: exchange.FirstByteSent);
            exchange.Failure = new Failure(settlement.Outcome, GatewayError.JournalUnavailable, TookPrompt: false);
            late.Keep(settlement, exchange.Admitted);
        }

        await SettleLimitsAsync(exchange, settlement);
        Learn(exchange, settlement);
        audit.Saw(exchange);
        try
        {
            await AnswerAsync(context, exchange);
        }
        finally
        {
            // A client may leave while it is told: the request is in the log and the metrics all the same.
            Tell(context, exchange, settlement);
        }
    }

    private async Task<bool> SettleAsync(Exchange exchange, Settlement settlement)
    {
        try
        {
            // An admission that is known to have failed has nothing to close: a settlement without one would be no evidence.
            if (exchange.Admitted.IsFaulted)
            {
                await exchange.Admitted;
            }

            var settled = journal.SettleOnceAsync(settlement, exchange.Admitted);
            await settled.WaitAsync(options.SettleWithin, clock);
            await exchange.Admitted;
            return true;
        }
        catch (Exception lost) when (lost is JournalUnavailableException or TimeoutException)
        {
            Log.NotRecorded(logger, exchange.RequestId, lost);
            return false;
        }
    }

    private async Task SettleLimitsAsync(Exchange exchange, Settlement settlement)
    {
        exchange.ReservationSettled = true;
        if (exchange.Reservation is not { } reservation)
        {
            return;
        }

        try
        {
            await limiter.SettleAsync(reservation, Actual.Of(settlement.Tokens.Total, settlement.CostNanoUsd), CancellationToken.None);
        }
        catch (LimiterUnavailableException down)
        {
            // The hold stands until its lease ends: too much is held for a while, never too little.
            Log.LimitsNotSettled(logger, exchange.RequestId, down);
        }
    }

    /// <summary>Only what ended by itself tells how long answers are: a bound or a cut tells how patient callers are.</summary>
    private void Learn(Exchange exchange, Settlement settlement)
    {
        if (settlement.Outcome == Outcome.Completed && exchange.Operation.WritesText && exchange.Ask.MaxOutputTokens is null)
        {
            learnt.Learn(settlement.Placement.Deployment, settlement.Tokens.Output / exchange.Ask.Choices);
        }
    }

    private static async Task AnswerAsync(HttpContext context, Exchange exchange)
    {
        if (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }

        var delivery = exchange.Answer.Delivery;
        if (exchange.Failure is not { } failure)
        {
            await exchange.Answer.Answer!.ReleaseAsync();
        }
        else if (!delivery.HasStarted)
        {
            Metering.AnswerHeaders.Write(context.Response.Headers, exchange);
            await context.RefuseAsync(failure.Error);
        }
        else
        {
            await delivery.FailInBandAsync(failure.Error, exchange.Answer.Answer, exchange.Ask.Stream);
        }
    }

    private void Tell(HttpContext context, Exchange exchange, Settlement settlement)
    {
        var own = clock.GetElapsedTime(exchange.StartedAt, exchange.DispatchedAt) + clock.GetElapsedTime(exchange.AnsweredAt);
        metrics.OverheadMeasured(settlement.Admission.Operation, own);
        metrics.RequestEnded(settlement.Admission.Operation, settlement.Outcome, context.Response.StatusCode, exchange.Failure?.Error.Label);
        if (exchange.Snapshot.Registry.Deployments.TryGetValue(settlement.Placement.Deployment, out var deployment))
        {
            metrics.TokensUsed(ModelCall.Of(exchange.Operation, exchange.Route, deployment), settlement.Tokens);
        }

        Log.Settled(
            logger,
            exchange.RequestId,
            settlement.Admission.Tenant,
            settlement.Admission.KeyId,
            settlement.Admission.Model,
            settlement.Placement.Deployment,
            settlement.Outcome,
            settlement.Evidence,
            settlement.Tokens.Input,
            settlement.Tokens.Output,
            settlement.Duration.TotalMilliseconds);
    }

    private static partial class Log
    {
        [LoggerMessage(9001, LogLevel.Information,
            "{RequestId} {Tenant} {KeyId} {Model} on {Deployment}: {Outcome}, {Evidence}, {InputTokens} in, {OutputTokens} out, {DurationMs} ms")]
        public static partial void Settled(
            ILogger logger, Guid requestId, string tenant, string keyId, string model, string deployment, Outcome outcome, Evidence evidence, long inputTokens, long outputTokens, double durationMs);

        [LoggerMessage(9002, LogLevel.Error, "{RequestId} could not be recorded; the caller was told so")]
        public static partial void NotRecorded(ILogger logger, Guid requestId, Exception? cause);

        [LoggerMessage(9003, LogLevel.Error, "{RequestId} met a bug")]
        public static partial void Bug(ILogger logger, Guid requestId, Exception cause);

        [LoggerMessage(9004, LogLevel.Error, "The reservation of {RequestId} could not be settled; its hold ends with its lease")]
        public static partial void LimitsNotSettled(ILogger logger, Guid requestId, Exception cause);
    }
}
