using TokenFactory.TestKit.Servers;
using Xunit;

namespace TokenFactory.TestKit.Tests;

public sealed class RedisServerTests
{
    [Fact]
    public async Task It_answers_below_the_ephemeral_ports_and_forgets_what_it_is_told_to()
    {
        await using var redis = await RedisServer.StartAsync();
        Assert.InRange(redis.Port, 1024, 32_767);
        Assert.Equal("+OK", await redis.SendAsync("SET", "k", "v w"));
        Assert.Equal("v w", await redis.SendAsync("GET", "k"));
        var digest = await redis.SendAsync("SCRIPT", "LOAD", "return 7");
        Assert.Equal(":7", await redis.SendAsync("EVALSHA", digest, "0"));

        await redis.FlushAsync();
        await redis.FlushScriptsAsync();

        Assert.Equal("$-1", await redis.SendAsync("GET", "k"));
        Assert.StartsWith("-NOSCRIPT", await redis.SendAsync("EVALSHA", digest, "0"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Killed_it_starts_again_empty_on_its_port()
    {
        await using var redis = await RedisServer.StartAsync();
        await redis.SendAsync("SET", "k", "v");

        await redis.KillAsync();
        await redis.StartAgainAsync();

        Assert.Equal("$-1", await redis.SendAsync("GET", "k"));
    }

    [Fact]
    public async Task Frozen_it_answers_only_after_it_is_thawed()
    {
        await using var redis = await RedisServer.StartAsync();
        redis.Freeze();

        var answer = redis.SendAsync("PING");
        await Assert.ThrowsAsync<TimeoutException>(() => answer.WaitAsync(TimeSpan.FromMilliseconds(200)));
        redis.Thaw();

        Assert.Equal("+PONG", await answer);
    }

    [Fact]
    public async Task With_a_password_nobody_gets_in_without_it()
    {
        await using var redis = await RedisServer.StartAsync("s3cret");

        Assert.Equal("+PONG", await redis.SendAsync("PING"));
        Assert.Contains("s3cret@", redis.Url, StringComparison.Ordinal);
    }
}
