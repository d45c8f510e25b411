using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using TokenFactory.Inference.Dialects.Events;
using TokenFactory.Inference.Ledger;
using TokenFactory.Inference.Limits;
using TokenFactory.Inference.Metering;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference.Stored;

/// <summary>
/// Takes a request from the caller's limits, admits it, asks the keeper, settles it and answers, in this order: what cannot be bounded or
/// recorded is not asked, and no byte leaves before its settlement is durable (P1, P2, P4).
/// </summary>
internal sealed partial class StoredResponses(
    Keeper keeper, ILimiter limiter, IJournal journal, LateSettlements late, Instance instance, LedgerOptions options, GatewayMetrics metrics, TimeProvider clock, ILogger<StoredResponses> logger)
{
    private static readonly TimeSpan _lease = TimeSpan.FromMinutes(10);

    public async Task ServeAsync(HttpContext context, StoredAsk ask)
    {
        var (acceptedAt, started) = (clock.GetUtcNow(), clock.GetTimestamp());
        var requestId = Guid.Parse(context.Response.Headers[GatewayHeaders.RequestId].ToString());
        Reservation? reservation;
        try
        {
            var taken = await TakeAsync(ask, requestId, context.RequestAborted);
            RateHeaders.Write(context.Response.Headers, taken.Levels);
            if (taken.Refusal is { } refusal)
            {
                await context.RefuseAsync(GatewayError.RateLimited(refusal));
                return;
            }

            reservation = taken.Reservation;
        }
        catch (LimiterUnavailableException down)
        {
            Log.LimiterUnavailable(logger, down);
            await context.RefuseAsync(GatewayError.LimiterUnavailable);
            return;
        }

        var admission = AdmissionOf(ask, requestId, acceptedAt);
        using var answer = new PooledBytes();
        var (settlement, failure) = await AskAsync(ask, admission, answer, started, context.RequestAborted);
        await SettleLimitsAsync(requestId, reservation, isRecorded: settlement is not null);
        var status = failure?.Error.Status ?? StatusCodes.Status200OK;
        metrics.RequestEnded(ask.Kind.Operation, settlement?.Outcome, status, failure?.Error.Label);
        Log.Settled(logger, requestId, ask.Kind.Operation, admission.Tenant, admission.KeyId, ask.Keeper.Name, settlement?.Outcome, failure?.Error.Label ?? "answered");
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
        context.Response.ContentLength = answer.Count;
        await context.Response.Body.WriteAsync(answer.Memory, context.RequestAborted);
    }

    /// <returns>The settlement, null where nothing could be recorded, and why there is no answer.</returns>
    private async Task<(Settlement? Settlement, Failure? Failure)> AskAsync(StoredAsk ask, Admission admission, PooledBytes answer, long started, CancellationToken client)
    {
        var unrecorded = new Failure(Outcome.Failed, GatewayError.JournalUnavailable, TookPrompt: false);
        var admitted = journal.AdmitAsync(admission);
        try
        {
            // What is taken away over there must not be without a trace here: unlike a prompt, it is sent once its admission is durable.
            await admitted.WaitAsync(options.SettleWithin, clock, CancellationToken.None);
        }
        catch (Exception lost) when (lost is JournalUnavailableException or TimeoutException)
        {
            Log.NotRecorded(logger, admission.RequestId, lost);
            if (lost is TimeoutException)
            {
                late.Keep(SettlementOf(admission, unrecorded, attempt: null, started), admitted);
            }

            return (null, unrecorded);
        }

        var (askedAt, asked) = (clock.GetUtcNow(), clock.GetTimestamp());
        var (status, failure) = await AskKeeperAsync(ask, admission.RequestId, answer, client);
        var attempt = new Attempt(1, ask.Keeper.Name, admission.Placement.Provider, admission.Placement.Region, status, failure?.Error.Label, askedAt, clock.GetElapsedTime(asked));
        var settlement = SettlementOf(admission, failure, attempt, started);
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

    private async Task<(int? Status, Failure? Failure)> AskKeeperAsync(StoredAsk ask, Guid requestId, PooledBytes answer, CancellationToken client)
    {
        try
        {
            return await keeper.AskAsync(ask, requestId.ToString("D"), answer, client);
        }
        catch (Exception bug)
        {
            // Whatever it was, the admission is settled and the caller is told: a bug must not cost evidence.
            Log.Bug(logger, requestId, bug);
            return (null, new Failure(Outcome.Failed, GatewayError.Internal, TookPrompt: false));
        }
    }

    private async ValueTask<Taking> TakeAsync(StoredAsk ask, Guid requestId, CancellationToken cancel)
    {
        var buckets = Limits.Buckets.Of(ask.Caller.Key);
        return buckets.Count == 0 ? new Taking(null, null, []) : await limiter.TakeAsync(new Demand(requestId, ask.Caller.Tenant.Name, buckets, Tokens: 0, NanoUsd: 0, _lease), cancel);
    }

    private async Task SettleLimitsAsync(Guid requestId, Reservation? reservation, bool isRecorded)
    {
        if (reservation is null)
        {
            return;
        }

        try
        {
            await limiter.SettleAsync(reservation, isRecorded ? Actual.Of(tokens: 0, nanoUsd: 0) : Actual.Nothing, CancellationToken.None);
        }
        catch (LimiterUnavailableException down)
        {
            Log.LimitsNotSettled(logger, requestId, down);
        }
    }

    private Admission AdmissionOf(StoredAsk ask, Guid requestId, DateTimeOffset acceptedAt) => new()
    {
        RequestId = requestId,
        InstanceId = instance.Id,
        Tenant = ask.Caller.Tenant.Name,
        Project = ask.Caller.Project.Name,
        Department = ask.Caller.Project.Department,
        User = ask.Caller.Key.User?.Name,
        KeyId = ask.Caller.Key.Id,
        Tier = ask.Caller.Tenant.Tier?.Name,
        Operation = ask.Kind.Operation,
        Stream = false,
        Model = ask.Model,
        Placement = ask.Keeper.PlacementFor(ask.Model),
        EstimatedInputTokens = 0,
        AcceptedAt = acceptedAt,
    };

    private Settlement SettlementOf(Admission admission, Failure? failure, Attempt? attempt, long started) => new()
    {
        Admission = admission,
        Placement = admission.Placement,
        Outcome = failure?.Outcome ?? Outcome.Completed,
        Evidence = Evidence.KnownZero,
        Tokens = TokenUsage.Zero,
        Error = failure?.Error.Label,
        Attempts = attempt is null ? [] : [attempt],
        SettledAt = clock.GetUtcNow(),
        Duration = clock.GetElapsedTime(started),
    };

    private static partial class Log
    {
        [LoggerMessage(9101, LogLevel.Information, "{RequestId} {Operation} {Tenant} {KeyId} on {Deployment}: {Outcome}, {Answer}")]
        public static partial void Settled(ILogger logger, Guid requestId, string operation, string tenant, string keyId, string deployment, Outcome? outcome, string answer);

        [LoggerMessage(9102, LogLevel.Error, "{RequestId} could not be recorded; the caller was told so")]
        public static partial void NotRecorded(ILogger logger, Guid requestId, Exception cause);

        [LoggerMessage(9103, LogLevel.Error, "The limiter cannot be asked; requests are refused")]
        public static partial void LimiterUnavailable(ILogger logger, Exception cause);

        [LoggerMessage(9104, LogLevel.Error, "The reservation of {RequestId} could not be settled; its hold ends with its lease")]
        public static partial void LimitsNotSettled(ILogger logger, Guid requestId, Exception cause);

        [LoggerMessage(9105, LogLevel.Error, "{RequestId} met a bug")]
        public static partial void Bug(ILogger logger, Guid requestId, Exception cause);
    }
}
