using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using TokenFactory.Inference.Limits;
using TokenFactory.Inference.Limits.Redis;
using TokenFactory.Storage;
using TokenFactory.Storage.Redis;
using TokenFactory.TestKit.Servers;
using Xunit;

namespace TokenFactory.Inference.Tests.Limits;

/// <summary>One Redis for a class of tests, whose clock the test may own: then the scripts read it from a key.</summary>
public sealed class RedisFixture : IAsyncLifetime
{
    private const string OwnedTime = "local now = tonumber(redis.call('GET', 'test:now'))";

    public RedisServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await RedisServer.StartAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    /// <summary>The clock stands still there.</summary>
    public Task SetTimeAsync(DateTimeOffset now) =>
        Server.SendAsync("SET", "test:now", now.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture));

    /// <summary>A connected limiter whose bounds a busy machine does not reach.</summary>
    internal async Task<RedisLimiter> LimiterAsync(bool ownsTime = false, Func<RedisLimiterOptions, RedisLimiterOptions>? change = null, BudgetSums? spent = null)
    {
        var options = new RedisLimiterOptions
        {
            Connection = RedisConnection.Parse(Server.Url).Connection!,
            InstanceId = Ids.New(TimeProvider.System),
            TakeWithin = TimeSpan.FromSeconds(10),
            LongestLease = ownsTime ? TimeSpan.MaxValue : TimeSpan.FromMinutes(1),
        };
        var limiter = new RedisLimiter(
            change is null ? options : change(options),
            (_, _) => Task.FromResult(spent ?? new BudgetSums([])),
            TimeProvider.System,
            NullLogger<RedisLimiter>.Instance,
            null,
            ownsTime ? new RedisScripts(OwnedTime) : RedisScripts.OnServerTime);
        await limiter.StartAsync(default);
        return limiter;
    }
}
