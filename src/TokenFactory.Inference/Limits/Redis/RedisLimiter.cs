using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using TokenFactory.Storage;

namespace TokenFactory.Inference.Limits.Redis;

/// <summary>
/// The limiter of many replicas: one script takes all buckets of a request at once, on the server's time, in one round
/// trip. Fails closed: a take that Redis does not answer within its bound is no take, and what it may have taken all the
/// same is given back. Settlements do not keep the caller waiting; what cannot reach Redis is tried again.
/// </summary>
public sealed partial class RedisLimiter : ILimiter, IAsyncDisposable
{
    private static readonly TimeSpan _budgetKept = TimeSpan.FromDays(40);
    private static readonly TimeSpan _settleWithin = TimeSpan.FromSeconds(5);

    private readonly RedisLimiterOptions _options;
    private readonly Func<DateTimeOffset, CancellationToken, Task<BudgetSums>> _spentSince;
    private readonly TimeProvider _clock;
    private readonly ILogger<RedisLimiter> _logger;
    private readonly RedisScripts _scripts;
    private readonly Breaker _breaker;
    private readonly Unsettled _unsettled;
    private readonly Shares _shares;
    private readonly RedisLimiterMetrics _metrics;
    private readonly SemaphoreSlim _loading = new(1, 1);
    private readonly ConcurrentDictionary<Guid, Demand> _leases = new();
    private RedisClient? _client;
    private bool _sharing;

    /// <param name="spentSince">Reads from the ledger what the budgets have spent since a month began.</param>
    public RedisLimiter(
        RedisLimiterOptions options, Func<DateTimeOffset, CancellationToken, Task<BudgetSums>> spentSince, TimeProvider clock, ILogger<RedisLimiter> logger, IMeterFactory? meters = null)
        : this(options, spentSince, clock, logger, meters, RedisScripts.OnServerTime)
    {
    }

    internal RedisLimiter(
        RedisLimiterOptions options,
        Func<DateTimeOffset, CancellationToken, Task<BudgetSums>> spentSince,
        TimeProvider clock,
        ILogger<RedisLimiter> logger,
        IMeterFactory? meters,
        RedisScripts scripts)
    {
        (_options, _spentSince, _clock, _logger, _scripts) = (options, spentSince, clock, logger, scripts);
        _breaker = new Breaker(clock);
        _unsettled = new Unsettled(clock, options.MostUnsettled);
        _shares = new Shares(clock);
        _metrics = new RedisLimiterMetrics(meters, () => _shares.Replicas, () => Volatile.Read(ref _sharing) ? 1 : 0, () => _unsettled.Count);
    }

    private RedisClient Client => _client ?? throw new LimiterUnavailableException("Redis has not been connected yet.");

    public async ValueTask<Taking> TakeAsync(Demand demand, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        try
        {
            var answer = await AskAsync(demand, cancel);
            if (!TakeCall.TryRead(demand, answer, out var taking))
            {
                taking = await LoadAndTakeAsync(demand, cancel);
            }

            if (taking.Reservation is not null && HasLease(demand))
            {
                _leases.TryAdd(demand.ReservationId, demand);
            }

            return taking;
        }
        catch (LimiterUnavailableException) when (_options.WhenUnavailable == WhenUnavailable.Share)
        {
            if (!Interlocked.Exchange(ref _sharing, true))
            {
                Log.Sharing(_logger, _shares.Replicas);
            }

            return await _shares.TakeAsync(demand, cancel);
        }
    }

    /// <summary>Sent at once, and never cancelled; its answer is not waited for. A take that this replica sends later is done after it.</summary>
    public ValueTask SettleAsync(Reservation reservation, Actual actual, CancellationToken cancel)
    {
        if (!_shares.TrySettle(reservation, actual))
        {
            SettleInRedis(new ReservationEnd(reservation, actual));
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Where Redis counts a budget already, its counter stays: it knows what was taken since the ledger was read.</summary>
    public async ValueTask LoadAsync(string tenant, Bucket bucket, long spent, DateTimeOffset month, CancellationToken cancel)
    {
        // Each load has its own name, so that a reservation held by an earlier counter is not given back to this one.
        var (billions, rest) = Math.DivRem(Math.Max(0, spent), 1_000_000_000);
        var value = string.Create(
            CultureInfo.InvariantCulture, $"{Ids.New(_clock):N} {(month.Year * 12) + month.Month - 1} {billions} {rest}");
        try
        {
            await Client.SetIfMissingAsync(RedisKeys.Of(tenant, bucket), value, _budgetKept).WaitAsync(_options.LoadWithin, _clock, cancel);
        }
        catch (Exception failure) when (RedisClient.IsOutage(failure) && !cancel.IsCancellationRequested)
        {
            throw new LimiterUnavailableException("Redis did not take what a budget has spent.", failure);
        }
    }

    /// <summary>One round trip, within the bound. What may have been taken without our knowing is given back.</summary>
    private async Task<RedisResult> AskAsync(Demand demand, CancellationToken cancel)
    {
        if (!_breaker.MayTry() || _unsettled.Holds(demand.ReservationId))
        {
            throw new LimiterUnavailableException("Redis did not answer the last takes.");
        }

        try
        {
            var started = _clock.GetTimestamp();
            var answer = await Bound.WithinAsync(
                Client.EvaluateAsync(_scripts.Take, TakeCall.Keys(demand), TakeCall.Values(demand, _options.LongestLease)), _options.TakeWithin, _clock, cancel);
            _metrics.Took(_clock.GetElapsedTime(started));
            Answered();
            return answer;
        }
        catch (Exception failure) when (RedisClient.IsOutage(failure))
        {
            // A caller that hangs up tells nothing of the connection; an error of the server's is an answer.
            SettleInRedis(new ReservationEnd(new Reservation(demand.ReservationId, demand.Tenant, demand), Actual.Nothing, failure is not RedisServerException)
            {
                FollowsItsTake = cancel.IsCancellationRequested,
            });
            cancel.ThrowIfCancellationRequested();
            _metrics.Missed();
            Missed(failure);
            throw new LimiterUnavailableException("Redis did not answer the take.", failure);
        }
    }

    /// <summary>A budget without a counter is not a budget without spend: the ledger is asked first. One at a time, so that whoever waited finds it loaded.</summary>
    private async Task<Taking> LoadAndTakeAsync(Demand demand, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(_options.LoadWithin);
        try
        {
            await _loading.WaitAsync(limit.Token);
            try
            {
                var answer = await AskAsync(demand, cancel);
                if (TakeCall.TryRead(demand, answer, out var loadedMeanwhile))
                {
                    return loadedMeanwhile;
                }

                var month = TakeCall.MonthOf(((long[])answer)[0]);
                var sums = await _spentSince(month, limit.Token);
                foreach (var bucket in demand.Buckets.Where(b => b.Dimension is Dimension.TokensPerMonth or Dimension.NanoUsdPerMonth))
                {
                    Log.Loaded(_logger, bucket.Dimension, bucket.Subject, demand.Tenant);
                    await LoadAsync(demand.Tenant, bucket, sums.Of(demand.Tenant, bucket), month, limit.Token);
                }
            }
            finally
            {
                _loading.Release();
            }
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new LimiterUnavailableException("What the budgets have spent could not be read in time.");
        }
        catch (StorageException unread)
        {
            throw new LimiterUnavailableException("What the budgets have spent could not be read.", unread);
        }

        return TakeCall.TryRead(demand, await AskAsync(demand, cancel), out var taking)
            ? taking
            : throw new LimiterUnavailableException("Redis does not keep what the budgets have spent.");
    }

    private void SettleInRedis(ReservationEnd end)
    {
        _leases.TryRemove(end.Reservation.Id, out _);
        if (_breaker.IsOpen)
        {
            Keep(end);
        }
        else
        {
            _ = SettleOrKeepAsync(end);
        }
    }

    private async Task SettleOrKeepAsync(ReservationEnd end)
    {
        try
        {
            await SendAsync(end);
        }
        catch (Exception failure) when (RedisClient.IsOutage(failure))
        {
            Keep(end);
        }
    }

    private async Task SendAsync(ReservationEnd end)
    {
        var (reservation, actual) = (end.Reservation, end.Actual);
        await Client.EvaluateAsync(
            _scripts.Settle,
            [RedisKeys.Reservation(reservation.Tenant, reservation.Id)],
            [
                reservation.Id.ToString("N"), actual.Counts ? 1 : 0, Amounts.Used(actual, Dimension.TokensPerMonth), Amounts.Used(actual, Dimension.NanoUsdPerMonth),
                (long)end.Marks.TotalMilliseconds,
            ])
            .WaitAsync(_settleWithin, _clock);
    }

    private void Keep(ReservationEnd end)
    {
        if (!_unsettled.Keep(end with { FollowsItsTake = false }))
        {
            Log.NotKept(_logger, end.Reservation.Id);
        }
    }

    private void Answered()
    {
        Volatile.Write(ref _sharing, false);
        if (_breaker.Succeeded())
        {
            Log.Back(_logger);
        }
    }

    private void Missed(Exception failure)
    {
        // A server that refuses answers at once, so nobody waits for it; and what it refuses may be one tenant's alone.
        if (failure is not RedisServerException && _breaker.Failed())
        {
            Log.Gone(_logger, failure);
        }
    }

    private static bool HasLease(Demand demand)
    {
        foreach (var bucket in demand.BucketSpan)
        {
            if (bucket.Dimension == Dimension.Concurrent)
            {
                return true;
            }
        }

        return false;
    }

    private static partial class Log
    {
        [LoggerMessage(4011, LogLevel.Error, "Redis does not answer the limiter; it is asked once a second until it does")]
        public static partial void Gone(ILogger logger, Exception cause);

        [LoggerMessage(4012, LogLevel.Information, "Redis answers the limiter again")]
        public static partial void Back(ILogger logger);

        [LoggerMessage(4013, LogLevel.Error, "Too many settlements wait for Redis: the hold of {RequestId} stands until it ends by itself")]
        public static partial void NotKept(ILogger logger, Guid requestId);

        [LoggerMessage(4014, LogLevel.Warning, "Without Redis this replica enforces 1/{Replicas} of every limit by itself, and refuses what costs a monthly budget")]
        public static partial void Sharing(ILogger logger, int replicas);

        [LoggerMessage(4015, LogLevel.Error, "{Count} settlements did not reach Redis before the end; their holds stand until they end by themselves")]
        public static partial void LeftUnsettled(ILogger logger, int count, Exception cause);

        [LoggerMessage(4016, LogLevel.Information, "Redis did not know what {Dimension} of {Subject} has spent in {Tenant}: read from the ledger")]
        public static partial void Loaded(ILogger logger, Dimension dimension, string subject, string tenant);
    }
}
