using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using TokenFactory.Inference.Ledger;
using TokenFactory.Inference.Limits;
using TokenFactory.Inference.Metering;
using TokenFactory.Inference.Policy;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference.Stored;

/// <summary>
/// Takes a request from the caller's limits, has the policy judge the keeper, admits it, asks, settles and answers, in this order: what cannot be
/// bounded, allowed or recorded is not asked, and no byte leaves before its settlement is durable (P1, P2, P4, P6).
/// </summary>
internal sealed partial class StoredResponses(
    Keeper keeper, ILimiter limiter, Denials denials, DecisionEndpoint decisions, IJournal journal, LateSettlements late, BodyBudget budget, Instance instance, LedgerOptions options,
    GatewayMetrics metrics, TimeProvider clock, ILogger<StoredResponses> logger)
{
    private static readonly TimeSpan _lease = TimeSpan.FromMinutes(10);

    public async Task ServeAsync(HttpContext context, StoredAsk ask)
    {
        var exchange = ask.ToExchange(Guid.Parse(context.Response.Headers[GatewayHeaders.RequestId].ToString()), clock);
        context.Features.Set(exchange);
        Taking taken;
        try
        {
            taken = await TakeAsync(exchange, context.RequestAborted);
        }
        catch (LimiterUnavailableException down)
        {
            Log.LimiterUnavailable(logger, down);
            await context.RefuseAsync(GatewayError.LimiterUnavailable);
            return;
        }

        RateHeaders.Write(context.Response.Headers, taken.Levels);
        if (taken.Refusal is { } refusal)
        {
            await context.RefuseAsync(GatewayError.RateLimited(refusal));
            return;
        }

        exchange.Reservation = taken.Reservation;
        try
        {
            await JudgedAsync(context, ask);
        }
        finally
        {
            if (!exchange.ReservationSettled)
            {
                await SettleLimitsAsync(exchange, exchange.IsDenied ? Actual.Of(tokens: 0, nanoUsd: 0) : Actual.Nothing);
            }
        }
    }

    /// <summary>By the stop of the path, with its records of what is denied.</summary>
    private Task JudgedAsync(HttpContext context, StoredAsk ask) => ask.Kind.IsJudged
        ? new PolicyMiddleware(allowed => AnswerAsync(allowed, ask), denials, decisions, metrics, clock).InvokeAsync(context)
        : AnswerAsync(context, ask);

    private async Task AnswerAsync(HttpContext context, StoredAsk ask)
    {
        var exchange = context.Exchange;
        var admission = AdmissionOf(exchange, ask);
        using var answer = new KeptAnswer(budget);
        var (settlement, failure) = await AskAsync(exchange, ask, admission, answer, context.RequestAborted);
        if (settlement is not null)
        {
            await SettleLimitsAsync(exchange, Actual.Of(tokens: 0, nanoUsd: 0));
        }

        metrics.RequestEnded(ask.Kind.Operation, settlement?.Outcome, failure?.Error.Status ?? StatusCodes.Status200OK, failure?.Error.Label);
        Log.Settled(logger, exchange.RequestId, ask.Kind.Operation, admission.Tenant, admission.KeyId, ask.Keeper.Name, settlement?.Outcome, failure?.Error.Label ?? "answered");
        if (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }

        AnswerHeaders.WritePlace(context.Response.Headers, admission.Placement);
        if (failure is not null)
        {
            await context.RefuseAsync(failure.Error);
            return;
        }

        context.Response.ContentType = "application/json";
        context.Response.ContentLength = answer.Told.Count;
        await context.Response.Body.WriteAsync(answer.Told.Memory, context.RequestAborted);
    }

    /// <returns>The settlement, null where nothing could be recorded, and why there is no answer.</returns>
    private async Task<(Settlement? Settlement, Failure? Failure)> AskAsync(Exchange exchange, StoredAsk ask, Admission admission, KeptAnswer answer, CancellationToken client)
    {
        var unrecorded = new Failure(Outcome.Failed, GatewayError.JournalUnavailable, TookPrompt: false);
        var admitted = journal.AdmitAsync(admission);
        if (admitted.IsFaulted)
        {
            Log.NotRecorded(logger, admission.RequestId, admitted.Exception?.InnerException);
            return (null, unrecorded);
        }

        try
        {
            // What is taken away over there must not be without a trace here: unlike a prompt, it is sent once its admission is durable.
            await admitted.WaitAsync(options.SettleWithin, clock, CancellationToken.None);
        }
        catch (Exception lost) when (lost is JournalUnavailableException or TimeoutException)
        {
            // It may turn up in the store all the same.
            Log.NotRecorded(logger, admission.RequestId, lost);
            late.Keep(SettlementOf(exchange, admission, unrecorded), admitted);
            return (null, unrecorded);
        }

        var (askedAt, asked) = (clock.GetUtcNow(), clock.GetTimestamp());
        var (status, failure) = await AskKeeperAsync(ask, exchange, answer, client);
        exchange.Attempts.Add(new Attempt(1, ask.Keeper.Name, admission.Placement.Provider, admission.Placement.Region, status, failure?.Error.Label, askedAt, clock.GetElapsedTime(asked)));
        var settlement = SettlementOf(exchange, admission, failure);
        try
        {
            await journal.SettleOnceAsync(settlement, admitted).WaitAsync(options.SettleWithin, clock, CancellationToken.None);
            return (settlement, failure);
        }
        catch (Exception lost) when (lost is JournalUnavailableException or TimeoutException)
        {
            Log.NotRecorded(logger, admission.RequestId, lost);
            settlement = Records.Unrecorded(settlement, admitted: true, delivered: false);
            late.Keep(settlement, admitted);
            return (settlement, unrecorded);
        }
    }

    private async Task<(int? Status, Failure? Failure)> AskKeeperAsync(StoredAsk ask, Exchange exchange, KeptAnswer answer, CancellationToken client)
    {
        try
        {
            return await keeper.AskAsync(ask, exchange.RequestIdText, answer, client);
        }
        catch (Exception bug)
        {
            // Whatever it was, the admission is settled and the caller is told: a bug must not cost evidence.
            Log.Bug(logger, exchange.RequestId, bug);
            return (null, new Failure(Outcome.Failed, GatewayError.Internal, TookPrompt: false));
        }
    }

    private async ValueTask<Taking> TakeAsync(Exchange exchange, CancellationToken cancel)
    {
        var buckets = Limits.Buckets.Of(exchange.Caller.Key, exchange.Route);
        return buckets.Count == 0
            ? new Taking(null, null, [])
            : await limiter.TakeAsync(new Demand(exchange.RequestId, exchange.Caller.Tenant.Name, buckets, Tokens: 0, NanoUsd: 0, _lease), cancel);
    }

    private async Task SettleLimitsAsync(Exchange exchange, Actual actual)
    {
        exchange.ReservationSettled = true;
        if (exchange.Reservation is not { } reservation)
        {
            return;
        }

        try
        {
            await limiter.SettleAsync(reservation, actual, CancellationToken.None);
        }
        catch (LimiterUnavailableException down)
        {
            Log.LimitsNotSettled(logger, exchange.RequestId, down);
        }
    }

    private Admission AdmissionOf(Exchange exchange, StoredAsk ask)
    {
        var (caller, decision) = (exchange.Caller, ask.Kind.IsJudged ? exchange.Decision : null);
        return new Admission
        {
            RequestId = exchange.RequestId,
            InstanceId = instance.Id,
            Tenant = caller.Tenant.Name,
            Project = caller.Project.Name,
            Department = caller.Project.Department,
            User = caller.Key.User?.Name,
            KeyId = caller.Key.Id,
            Tier = caller.Tenant.Tier?.Name,
            Operation = ask.Kind.Operation,
            Stream = false,
            Model = ask.Model,
            Placement = ask.Keeper.PlacementFor(ask.Model),
            PolicyDecisionId = decision?.Id,
            Policy = decision is null ? null : PolicyEvidence.Of(exchange.Snapshot, exchange.Ask.Governance, decision, [], exchange.Shadow),
            EstimatedInputTokens = 0,
            AcceptedAt = exchange.AcceptedAt,
        };
    }

    private Settlement SettlementOf(Exchange exchange, Admission admission, Failure? failure) => new()
    {
        Admission = admission,
        Placement = admission.Placement,
        Outcome = failure?.Outcome ?? Outcome.Completed,
        Evidence = Evidence.KnownZero,
        Tokens = TokenUsage.Zero,
        Error = failure?.Error.Label,
        Attempts = exchange.Attempts,
        SettledAt = clock.GetUtcNow(),
        Duration = clock.GetElapsedTime(exchange.StartedAt),
    };

    private static partial class Log
    {
        [LoggerMessage(9301, LogLevel.Information, "{RequestId} {Operation} {Tenant} {KeyId} on {Deployment}: {Outcome}, {Answer}")]
        public static partial void Settled(ILogger logger, Guid requestId, string operation, string tenant, string keyId, string deployment, Outcome? outcome, string answer);

        [LoggerMessage(9302, LogLevel.Error, "{RequestId} could not be recorded; the caller was told so")]
        public static partial void NotRecorded(ILogger logger, Guid requestId, Exception? cause);

        [LoggerMessage(9303, LogLevel.Error, "The limiter cannot be asked; requests are refused")]
        public static partial void LimiterUnavailable(ILogger logger, Exception cause);

        [LoggerMessage(9304, LogLevel.Error, "The reservation of {RequestId} could not be settled; its hold ends with its lease")]
        public static partial void LimitsNotSettled(ILogger logger, Guid requestId, Exception cause);

        [LoggerMessage(9305, LogLevel.Error, "{RequestId} met a bug")]
        public static partial void Bug(ILogger logger, Guid requestId, Exception cause);
    }
}
