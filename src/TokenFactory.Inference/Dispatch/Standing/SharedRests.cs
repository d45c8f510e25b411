using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using TokenFactory.Inference.Limits;
using TokenFactory.Inference.Limits.Redis;

namespace TokenFactory.Inference.Dispatch.Standing;

/// <summary>
/// Tells the other replicas which deployments rest, and hears of theirs, once a second through the Redis they share: a quota that one of
/// them has spent is spent for all. While Redis is away each replica knows what it meets itself.
/// </summary>
internal sealed partial class SharedRests(Standings standings, RedisLimiterOptions options, TimeProvider clock, ILogger<SharedRests> logger) : BackgroundService
{
    private static readonly TimeSpan _every = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _within = TimeSpan.FromSeconds(2);

    private RedisClient? _client;

    /// <summary>One round: what was learnt since the last one is told, and what is known is heard.</summary>
    /// <exception cref="LimiterUnavailableException">Redis does not answer, or not to us.</exception>
    public async Task ExchangeAsync(CancellationToken cancel)
    {
        var client = _client ??= await RedisClient.ConnectAsync(options, clock, logger, cancel);
        var learnt = standings.TakeLearnt();
        try
        {
            var values = learnt.SelectMany(static one => (RedisValue[])[one.Deployment, one.Reason, (long)one.Left.TotalMilliseconds]).ToArray();
            var known = (RedisValue[])await client.EvaluateAsync(RedisScripts.OnServerTime.Rests, [RedisKeys.Rests], values).WaitAsync(_within, clock, cancel);
            for (var index = 0; index + 2 < known.Length; index += 3)
            {
                standings.Hear(known[index]!, known[index + 1]!, TimeSpan.FromMilliseconds((long)known[index + 2]));
            }
        }
        catch
        {
            standings.PutBack(learnt);
            throw;
        }
    }

    public override void Dispose()
    {
        _client?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_every, clock);
        var isAway = false;
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    await ExchangeAsync(stoppingToken);
                    isAway = false;
                }
                catch (Exception failure) when ((failure is LimiterUnavailableException || RedisClient.IsOutage(failure)) && !stoppingToken.IsCancellationRequested)
                {
                    if (!isAway)
                    {
                        Log.Alone(logger, failure.Message);
                    }

                    isAway = true;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Told to stop.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(7003, LogLevel.Warning, "What other replicas know of spent quotas is not heard until Redis answers again: {Reason}")]
        public static partial void Alone(ILogger logger, string reason);
    }
}
