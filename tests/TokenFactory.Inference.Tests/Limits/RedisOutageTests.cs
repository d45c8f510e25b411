using System.Diagnostics;
using TokenFactory.Inference.Limits;
using TokenFactory.Inference.Limits.Redis;
using TokenFactory.Storage;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Redis;
using TokenFactory.TestKit.Servers;
using Xunit;

namespace TokenFactory.Inference.Tests.Limits;

/// <summary>Redis is frozen, killed and emptied under running replicas; time is the server's own.</summary>
public sealed class RedisOutageTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private readonly string _tenant = "t" + Ids.New(TimeProvider.System).ToString("N");

    [Fact]
    public async Task P10_A_frozen_server_costs_a_request_its_bound_and_then_nothing()
    {
        await using var limiter = await redis.LimiterAsync(change: o => o with { TakeWithin = TimeSpan.FromMilliseconds(20) });
        redis.Server.Freeze();
        var waited = 0;
        try
        {
            for (var i = 0; i < 50; i++)
            {
                var started = Stopwatch.GetTimestamp();
                await Assert.ThrowsAsync<LimiterUnavailableException>(async () => await limiter.TakeAsync(Ask(One), default));
                waited += Stopwatch.GetElapsedTime(started) >= TimeSpan.FromMilliseconds(19) ? 1 : 0;
            }
        }
        finally
        {
            redis.Server.Thaw();
        }

        // Three failures open the breaker, the limiter's own upkeep among them; one a second finds out, and a busy machine stalls
        // often. Without the breaker all fifty wait.
        Assert.InRange(waited, 1, 40);
    }

    [Fact]
    public async Task P5_What_a_take_took_after_nobody_waited_for_it_any_more_is_given_back()
    {
        await using var limiter = await redis.LimiterAsync(change: o => o with { TakeWithin = TimeSpan.FromMilliseconds(20) });
        await using var other = await redis.LimiterAsync();
        var demand = Ask(One, new Bucket("project:p", Dimension.TokensPerMonth, 100)) with { Tokens = 100 };
        await Settled(other, await other.TakeAsync(demand with { ReservationId = Ids.New(TimeProvider.System) }, default), Actual.Nothing);
        redis.Server.Freeze();
        await Assert.ThrowsAsync<LimiterUnavailableException>(async () => await limiter.TakeAsync(demand, default));

        redis.Server.Thaw();

        await Until(async () => (await other.TakeAsync(demand with { ReservationId = Ids.New(TimeProvider.System) }, default)).Reservation is not null);
    }

    [Fact]
    public async Task P4_Without_Redis_nothing_is_taken_and_with_it_again_all_goes_on()
    {
        await using var limiter = await redis.LimiterAsync();
        await limiter.TakeAsync(Ask(One), default);
        await redis.Server.KillAsync();
        await Assert.ThrowsAsync<LimiterUnavailableException>(async () => await limiter.TakeAsync(Ask(One), default));

        await redis.Server.StartAgainAsync();

        await Until(() => TookAsync(limiter, Ask(One)));
    }

    [Fact]
    public async Task P4_A_connection_that_nothing_goes_through_any_more_is_replaced()
    {
        await using var proxy = TcpProxy.Start(redis.Server.Port);
        await using var limiter = await redis.LimiterAsync(change: o => Through(proxy, o));
        var before = await limiter.TakeAsync(Ask(One), default);

        proxy.Forget();

        await Assert.ThrowsAsync<LimiterUnavailableException>(async () => await limiter.TakeAsync(Ask(One), default));
        await Settled(limiter, before, Actual.Nothing);
        await Until(() => TookAsync(limiter, Ask(One)), seconds: 30);
    }

    [Fact]
    public async Task P4_A_connection_that_was_never_answered_is_replaced()
    {
        await using var proxy = TcpProxy.Start(redis.Server.Port);
        await using var limiter = await redis.LimiterAsync(change: o => Through(proxy, o));

        // The client connects again by itself, and what it then says is lost.
        proxy.Hold();
        proxy.Reset();
        await Until(async () => !await TookAsync(limiter, Ask(One)) && proxy.Connections > 0);
        proxy.Forget();
        proxy.Heal();

        await Until(() => TookAsync(limiter, Ask(One)), seconds: 30);
    }

    [Fact]
    public async Task P5_A_take_that_arrives_after_it_was_given_back_takes_nothing()
    {
        await using var proxy = TcpProxy.Start(redis.Server.Port);
        await using var limiter = await redis.LimiterAsync(change: o => Through(proxy, o));
        await using var other = await redis.LimiterAsync();
        var demand = Ask(new Bucket("project:p", Dimension.TokensPerMonth, 100)) with { Tokens = 100 };
        await Settled(limiter, await limiter.TakeAsync(demand with { ReservationId = Ids.New(TimeProvider.System) }, default), Actual.Nothing);
        await Until(async () => (await other.TakeAsync(demand with { ReservationId = Ids.New(TimeProvider.System), Tokens = 0 }, default)).Levels[0].Remaining == 100);
        var connections = proxy.Connections;
        proxy.Forget();
        for (var i = 0; i < 3; i++)
        {
            await Assert.ThrowsAsync<LimiterUnavailableException>(async () => await limiter.TakeAsync(Ask(One), default));
        }

        // One a second finds out whether Redis is back: what gives it back waits, and goes through the next connection.
        var takes = new List<Demand>();
        for (var i = 0; i < 4; i++)
        {
            await Task.Delay(TimeSpan.FromSeconds(0.7));
            takes.Add(demand with { ReservationId = Ids.New(TimeProvider.System) });
            await Assert.ThrowsAsync<LimiterUnavailableException>(async () => await limiter.TakeAsync(takes[^1], default));
        }

        await Until(() => AnyAsync(takes), seconds: 30);

        proxy.Deliver();

        await Until(() => Task.FromResult(proxy.Connections == connections));
        Assert.NotNull((await other.TakeAsync(demand with { ReservationId = Ids.New(TimeProvider.System) }, default)).Reservation);
    }

    [Fact]
    public async Task P10_A_take_that_was_answered_with_an_error_leaves_nothing_behind()
    {
        await using var limiter = await redis.LimiterAsync();
        var bucket = new Bucket("project:p", Dimension.RequestsPerMinute, 100);
        await redis.Server.SendAsync("HSET", RedisKeys.Of(_tenant, bucket)!, "not", "a rate");
        var demand = Ask(bucket, new Bucket("project:q", Dimension.Concurrent, 1));
        await redis.Server.SendAsync("SET", RedisKeys.Of(_tenant, demand.Buckets[1])!, "no leases");

        await Assert.ThrowsAsync<LimiterUnavailableException>(async () => await limiter.TakeAsync(demand, default));

        // What is answered now was sent after what gave it back.
        Assert.True(await TookAsync(limiter, Ask(One)));
        Assert.False(await AnyAsync([demand]));
    }

    [Fact]
    public async Task P5_Sharing_replicas_stay_within_the_limit_together_and_refuse_what_costs_a_budget()
    {
        await redis.Server.FlushAsync();
        await using var first = await redis.LimiterAsync(change: Shared);
        await using var second = await redis.LimiterAsync(change: Shared);
        await using var third = await redis.LimiterAsync(change: Shared);

        // Those that were there first learn of the others within some seconds.
        await Task.Delay(TimeSpan.FromSeconds(6));
        await redis.Server.KillAsync();
        try
        {
            var admitted = 0;
            foreach (var limiter in new[] { first, second, third })
            {
                for (var i = 0; i < 20; i++)
                {
                    var taking = await limiter.TakeAsync(Ask(new Bucket("key:a", Dimension.Concurrent, 10)), default);
                    admitted += taking.Reservation is null ? 0 : 1;
                }
            }

            Assert.Equal(9, admitted);
            await Assert.ThrowsAsync<LimiterUnavailableException>(async () =>
                await first.TakeAsync(Ask(new Bucket("key:a", Dimension.NanoUsdPerMonth, 10)) with { NanoUsd = 1 }, default));
        }
        finally
        {
            await redis.Server.StartAgainAsync();
        }
    }

    [Fact]
    public async Task P5_A_settlement_that_met_a_frozen_server_is_done_once_it_is_back()
    {
        await using var limiter = await redis.LimiterAsync(change: o => o with { TakeWithin = TimeSpan.FromMilliseconds(100) });
        await using var other = await redis.LimiterAsync();
        var taken = await limiter.TakeAsync(Ask(One), default);
        Assert.NotNull(taken.Reservation);
        redis.Server.Freeze();
        try
        {
            for (var i = 0; i < 3; i++)
            {
                await Assert.ThrowsAsync<LimiterUnavailableException>(async () => await limiter.TakeAsync(Ask(One), default));
            }

            await limiter.SettleAsync(taken.Reservation, Actual.Of(0, 0), default);
        }
        finally
        {
            redis.Server.Thaw();
        }

        await Until(() => TookAsync(other, Ask(One)));
    }

    [Fact]
    public async Task P5_An_emptied_Redis_learns_once_from_the_ledger_what_a_budget_has_spent()
    {
        var sums = new BudgetSums([new BudgetSpend(_tenant, "p", null, "k", 60, 0)]);
        await using var first = await redis.LimiterAsync(spent: sums);
        await using var second = await redis.LimiterAsync(spent: sums);
        await using var third = await redis.LimiterAsync(spent: sums);
        var budget = new Bucket("project:p", Dimension.TokensPerMonth, 100);
        var before = await first.TakeAsync(Ask(budget) with { Tokens = 30 }, default);
        Assert.Equal(10, before.Levels[0].Remaining);
        await redis.Server.FlushAsync();

        var takings = await Task.WhenAll(new[] { first, second, third }.Select(l => l.TakeAsync(Ask(budget) with { Tokens = 15 }, default).AsTask()));

        Assert.Equal(2, takings.Count(taking => taking.Reservation is not null));

        // What the emptied Redis held for it is not in the new counter, so it is not given back either.
        await Settled(first, before, Actual.Of(5, 0));
        Assert.Equal(10, (await first.TakeAsync(Ask(budget), default)).Levels[0].Remaining);
    }

    [Fact]
    public async Task A_request_that_lasts_longer_than_a_lease_keeps_its_place()
    {
        await using var limiter = await redis.LimiterAsync(change: o => o with { LongestLease = TimeSpan.FromSeconds(3) });
        await using var other = await redis.LimiterAsync();
        var taken = await limiter.TakeAsync(Ask(One), default);
        Assert.NotNull(taken.Reservation);

        await Task.Delay(TimeSpan.FromSeconds(5));

        Assert.False(await TookAsync(other, Ask(One)));
        await Settled(limiter, taken, Actual.Of(0, 0));
        await Until(() => TookAsync(other, Ask(One)));
    }

    [Fact]
    public async Task P12_A_wrong_password_and_a_server_that_is_not_there_are_told_apart_and_the_password_is_not_told()
    {
        await using var locked = await RedisServer.StartAsync("s3cret-pa55");
        var wrong = await RefusalAsync($"redis://:wr0ng-pa55@127.0.0.1:{locked.Port}");
        var none = await RefusalAsync($"127.0.0.1:{locked.Port}");
        var absent = await Assert.ThrowsAsync<LimiterUnavailableException>(() => redis.LimiterAsync(change: o => Quick(o, "redis://:wr0ng-pa55@127.0.0.1:1")));
        await using var right = await redis.LimiterAsync(change: o => Quick(o, locked.Url));

        Assert.Contains("password", wrong, StringComparison.Ordinal);
        Assert.Contains("password", none, StringComparison.Ordinal);
        Assert.Contains("127.0.0.1:1 does not answer", absent.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("pa55", wrong + absent.Message, StringComparison.Ordinal);

        // A busy machine may be too slow to hear the server's refusal in the short time a test gives it.
        async Task<string> RefusalAsync(string url)
        {
            for (var tries = 0; ; tries++)
            {
                var refusal = await Assert.ThrowsAsync<LimiterUnavailableException>(() => redis.LimiterAsync(change: o => Quick(o, url)));
                if (tries == 20 || refusal.Message.Contains("password", StringComparison.Ordinal))
                {
                    return refusal.Message;
                }
            }
        }
    }

    /// <summary>Whether Redis has anything in the place of one of the reservations.</summary>
    private async Task<bool> AnyAsync(IReadOnlyList<Demand> demands)
    {
        foreach (var demand in demands)
        {
            if (await redis.Server.SendAsync("EXISTS", RedisKeys.Reservation(_tenant, demand.ReservationId)!) == ":1")
            {
                return true;
            }
        }

        return false;
    }

    private static Bucket One => new("tenant", Dimension.Concurrent, 1);

    private Demand Ask(params Bucket[] buckets) => new(Ids.New(TimeProvider.System), _tenant, buckets, 0, 0, TimeSpan.FromMinutes(10));

    private static RedisLimiterOptions Shared(RedisLimiterOptions options) =>
        options with { WhenUnavailable = WhenUnavailable.Share, TakeWithin = TimeSpan.FromMilliseconds(200) };

    private static RedisLimiterOptions Through(TcpProxy proxy, RedisLimiterOptions options) =>
        options with { Connection = RedisConnection.Parse($"127.0.0.1:{proxy.Port}").Connection!, TakeWithin = TimeSpan.FromMilliseconds(200) };

    private static RedisLimiterOptions Quick(RedisLimiterOptions options, string connection) =>
        options with { Connection = RedisConnection.Parse(connection).Connection!, ConnectWithin = TimeSpan.FromSeconds(2) };

    private static async Task Settled(RedisLimiter limiter, Taking taking, Actual actual)
    {
        Assert.NotNull(taking.Reservation);
        await limiter.SettleAsync(taking.Reservation, actual, default);
    }

    private static async Task<bool> TookAsync(RedisLimiter limiter, Demand demand)
    {
        try
        {
            return (await limiter.TakeAsync(demand, default)).Reservation is not null;
        }
        catch (LimiterUnavailableException)
        {
            return false;
        }
    }

    private static async Task Until(Func<Task<bool>> condition, int seconds = 10)
    {
        for (var attempt = 0; !await condition(); attempt++)
        {
            Assert.True(attempt < 100 * seconds, $"It did not come about within {seconds} seconds.");
            await Task.Delay(10);
        }
    }
}
