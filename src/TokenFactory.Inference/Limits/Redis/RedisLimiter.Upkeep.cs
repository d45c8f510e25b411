namespace TokenFactory.Inference.Limits.Redis;

/// <summary>What happens beside the requests, once a second: replicas are counted, Redis' return is noticed, kept settlements are sent, leases of what is under way are extended.</summary>
public sealed partial class RedisLimiter
{
    private const int Batch = 256;
    private const int TicksBetweenCounts = 5;
    private static readonly TimeSpan _tick = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _wordKept = TimeSpan.FromSeconds(15);

    private readonly CancellationTokenSource _stop = new();
    private Task _upkeep = Task.CompletedTask;
    private bool _disposed;

    /// <summary>The first connection and the first word to the other replicas, before the first take.</summary>
    /// <exception cref="LimiterUnavailableException">Redis does not answer or refuses the password: the message is for the operator.</exception>
    public async Task StartAsync(CancellationToken cancel)
    {
        _client = await RedisClient.ConnectAsync(_options, _clock, _logger, cancel);
        try
        {
            await CountReplicasAsync(_wordKept);
        }
        catch (Exception failure) when (RedisClient.IsOutage(failure))
        {
            throw new LimiterUnavailableException($"Redis at {_options.Connection} cannot run the limiter's scripts: {failure.Message}", failure);
        }

        _upkeep = UpkeepAsync();
    }

    /// <summary>Waits for the settlements that were sent. A container that knows it under two names disposes it twice.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true))
        {
            return;
        }

        await _stop.CancelAsync();
        await _upkeep;
        if (_client is { } client)
        {
            await LeaveAsync();
            await client.DisposeAsync();
        }

        _shares.Dispose();
        _loading.Dispose();
        _stop.Dispose();
    }

    private async Task UpkeepAsync()
    {
        await Task.Yield();
        using var timer = new PeriodicTimer(_tick, _clock);
        var extended = _clock.GetTimestamp();
        try
        {
            for (var tick = 1; await timer.WaitForNextTickAsync(_stop.Token); tick++)
            {
                try
                {
                    if (tick % TicksBetweenCounts == 0 || _breaker.IsOpen)
                    {
                        await CountReplicasAsync(_wordKept);
                    }

                    await SettleKeptAsync();
                    if (_clock.GetElapsedTime(extended) * 3 >= _options.LongestLease)
                    {
                        extended = _clock.GetTimestamp();
                        await ExtendLeasesAsync();
                    }
                }
                catch (Exception failure) when (RedisClient.IsOutage(failure))
                {
                    Missed(failure);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Told to stop.
        }
    }

    private async Task CountReplicasAsync(TimeSpan kept)
    {
        var answer = await Client.EvaluateAsync(
            _scripts.Replicas, [RedisKeys.Replicas], [_options.InstanceId.ToString("N"), (long)kept.TotalMilliseconds]).WaitAsync(_tick * 2, _clock);
        _shares.Replicas = (int)(long)answer;
        Answered();
    }

    private async Task SettleKeptAsync()
    {
        while (!_breaker.IsOpen && _unsettled.Next(Batch) is { Count: > 0 } next)
        {
            await Task.WhenAll(next.Select(async kept =>
            {
                await SendAsync(kept);
                _unsettled.Done(kept.Reservation.Id);
            }));
        }
    }

    /// <summary>A lease that Redis no longer knows has ended, by its deadline or because Redis lost it: there is nothing to extend.</summary>
    private async Task ExtendLeasesAsync()
    {
        foreach (var batch in _leases.Values.ToArray().Chunk(Batch))
        {
            await Task.WhenAll(batch.Select(async demand =>
            {
                var answer = await Client.EvaluateAsync(
                    _scripts.Extend,
                    [RedisKeys.Reservation(demand.Tenant, demand.ReservationId)],
                    [demand.ReservationId.ToString("N"), (long)_options.LongestLease.TotalMilliseconds]).WaitAsync(_settleWithin, _clock);
                if ((long)answer == 0)
                {
                    _leases.TryRemove(demand.ReservationId, out _);
                }
            }));
        }
    }

    /// <summary>What was sent before has been done when this is answered.</summary>
    private async Task LeaveAsync()
    {
        try
        {
            await CountReplicasAsync(TimeSpan.Zero);
            await SettleKeptAsync();
        }
        catch (Exception failure) when (RedisClient.IsOutage(failure))
        {
            Log.LeftUnsettled(_logger, _unsettled.Count, failure);
        }
    }
}
