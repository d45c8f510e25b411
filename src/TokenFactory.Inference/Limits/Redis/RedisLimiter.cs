using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

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
    private readonly SemaphoreSlim _loading = new(1, 1);
    private readonly ConcurrentDictionary<Guid, Demand> _leases = new();
    private RedisClient? _client;

    /// <param name="spentSince">Reads from the ledger what the budgets have spent since a month began.</param>
    public RedisLimiter(RedisLimiterOptions options, Func<DateTimeOffset, CancellationToken, Task<BudgetSums>> spentSince, TimeProvider clock, ILogger<RedisLimiter> logger)
        : this(options, spentSince, clock, logger, RedisScripts.OnServerTime)
    {
    }

    internal RedisLimiter(
        RedisLimiterOptions options, Func<DateTimeOffset, CancellationToken, Task<BudgetSums>> spentSince, TimeProvider clock, ILogger<RedisLimiter> logger, RedisScripts scripts)
    {
        (_options, _spentSince, _clock, _logger, _scripts) = (options, spentSince, clock, logger, scripts);
        _breaker = new Breaker(clock);
        _unsettled = new Unsettled(clock, options.MostUnsettled);
    }

    private RedisClient Client => _client ?? throw new LimiterUnavailableException("Redis has not been connected yet.");

    /// <summary>The first connection, before the first take.</summary>
    /// <exception cref="LimiterUnavailableException">Redis does not answer or refuses the password: the message is for the operator.</exception>
    public async Task ConnectAsync(CancellationToken cancel) => _client = await RedisClient.ConnectAsync(_options, _clock, cancel);

    public async ValueTask<Taking> TakeAsync(Demand demand, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
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

    /// <summary>Sent at once, and never cancelled; its answer is not waited for. A take that this replica sends later is done after it.</summary>
    public ValueTask SettleAsync(Reservation reservation, Actual actual, CancellationToken cancel)
    {
        _leases.TryRemove(reservation.Id, out _);
        if (_breaker.IsOpen)
        {
            Keep(reservation, actual);
        }
        else
        {
            _ = SettleOrKeepAsync(reservation, actual);
        }

        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        if (_client is { } client)
        {
            await client.DisposeAsync();
        }

        _loading.Dispose();
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
            var sent = Client.EvaluateAsync(_scripts.Take, TakeCall.Keys(demand), TakeCall.Values(demand, _options.LongestLease));
            var answer = sent.IsCompletedSuccessfully ? await sent : await sent.WaitAsync(_options.TakeWithin, _clock, cancel);
            Answered();
            return answer;
        }
        catch (Exception failure) when (RedisClient.IsOutage(failure))
        {
            if (!cancel.IsCancellationRequested)
            {
                Missed(failure);
            }

            await SettleAsync(new Reservation(demand.ReservationId, demand.Tenant, demand), Actual.Nothing, CancellationToken.None);
            cancel.ThrowIfCancellationRequested();
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

        return TakeCall.TryRead(demand, await AskAsync(demand, cancel), out var taking)
            ? taking
            : throw new LimiterUnavailableException("Redis does not keep what the budgets have spent.");
    }

    /// <summary>Tells what a month has spent of a budget; a counter that is there already knows better and stays.</summary>
    private async Task LoadAsync(string tenant, Bucket bucket, long spent, DateTimeOffset month, CancellationToken cancel)
    {
        // Each load has its own name, so that a reservation held by an earlier counter is not given back to this one.
        var (billions, rest) = Math.DivRem(Math.Max(0, spent), 1_000_000_000);
        var value = string.Create(
            CultureInfo.InvariantCulture, $"{Storage.Ids.New(_clock):N} {(month.Year * 12) + month.Month - 1} {billions} {rest}");
        await Client.SetIfMissingAsync(RedisKeys.Of(tenant, bucket), value, _budgetKept).WaitAsync(_options.LoadWithin, _clock, cancel);
    }

    private async Task SettleOrKeepAsync(Reservation reservation, Actual actual)
    {
        try
        {
            await SendSettlementAsync(reservation, actual);
        }
        catch (Exception failure) when (RedisClient.IsOutage(failure))
        {
            Keep(reservation, actual);
        }
    }

    private async Task SendSettlementAsync(Reservation reservation, Actual actual) =>
        await Client.EvaluateAsync(
            _scripts.Settle,
            [RedisKeys.Reservation(reservation.Tenant, reservation.Id)],
            [reservation.Id.ToString("N"), actual.Counts ? 1 : 0, Amounts.Used(actual, Dimension.TokensPerMonth), Amounts.Used(actual, Dimension.NanoUsdPerMonth)])
            .WaitAsync(_settleWithin, _clock);

    private void Keep(Reservation reservation, Actual actual)
    {
        if (!_unsettled.Keep(reservation, actual))
        {
            Log.NotKept(_logger, reservation.Id);
        }
    }

    private void Answered()
    {
        if (_breaker.Succeeded())
        {
            Log.Back(_logger);
        }
    }

    private void Missed(Exception failure)
    {
        if (_breaker.Failed())
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
    }
}
