using Microsoft.Extensions.Hosting;

namespace TokenFactory.Inference.Limits.Redis;

/// <summary>
/// Connects before the listener starts; a Redis that does not answer then stops the start. An address or password with a
/// mistake in it is by far the likeliest cause, and a replica that never met Redis knows neither what the others have
/// taken nor how many they are.
/// </summary>
internal sealed class RedisLimiterStart(RedisLimiter limiter) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => limiter.StartAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
