using TokenFactory.Inference.Limits;
using TokenFactory.Inference.Limits.Redis;
using TokenFactory.TestKit.Contracts;
using Xunit;

namespace TokenFactory.Inference.Tests.Limits;

public sealed class RedisLimiterTests(RedisFixture redis) : LimiterContract, IClassFixture<RedisFixture>, IAsyncLifetime
{
    private DateTimeOffset _now = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);
    private RedisLimiter _limiter = null!;

    protected override ILimiter Limiter => _limiter;

    public async ValueTask InitializeAsync()
    {
        await redis.Server.FlushAsync();
        await redis.SetTimeAsync(_now);
        _limiter = await redis.LimiterAsync(ownsTime: true);
    }

    public ValueTask DisposeAsync() => _limiter.DisposeAsync();

    protected override void Advance(TimeSpan time) => redis.SetTimeAsync(_now += time).GetAwaiter().GetResult();

    [Fact]
    public async Task P5_Of_100_takes_by_three_replicas_at_once_exactly_as_many_as_fit_are_admitted()
    {
        await using var second = await redis.LimiterAsync();
        await using var third = await redis.LimiterAsync();
        await using var first = await redis.LimiterAsync();
        RedisLimiter[] replicas = [first, second, third];
        var buckets = new[] { Tokens(1000), TokenBudget(1000), MoneyBudget(1_000_000), Concurrent(60) };

        var takings = await Task.WhenAll(Enumerable.Range(0, 100).Select(i =>
            replicas[i % 3].TakeAsync(Ask(buckets) with { Tokens = 37, NanoUsd = 37_000 }, default).AsTask()));

        // 27 * 37 = 999; a minute's refill of 1000 brings no further 37 within this second.
        Assert.Equal(27, takings.Count(taking => taking.Reservation is not null));
        var levels = (await first.TakeAsync(Ask([.. buckets, new Bucket("probe", Dimension.Concurrent, 0)]), default)).Levels;
        Assert.Equal([1, 1000, 33], new[] { levels[1], levels[2], levels[3] }.Select(level => level.Remaining));
    }

    [Fact]
    public async Task P5_Money_is_exact_where_a_double_is_not()
    {
        // 2^53 + 1 is the first whole number a double cannot hold.
        const long Held = (1L << 53) + 1;
        var budget = MoneyBudget((2 * Held) + 1);
        var taken = await Take(Ask(budget) with { NanoUsd = Held });
        Assert.Equal(Held + 1, taken.Levels[0].Remaining);
        Assert.Equal(1, (await Take(Ask(budget) with { NanoUsd = Held })).Levels[0].Remaining);
        Assert.NotNull((await Limiter.TakeAsync(Ask(budget) with { NanoUsd = 2 }, default)).Refusal);

        await Limiter.SettleAsync(taken.Reservation!, Actual.Of(0, Held - 2), default);

        Assert.Equal([3], await Levels(budget));
    }

    [Fact]
    public async Task Absurd_amounts_neither_overflow_nor_pass()
    {
        var taken = await Take(Ask(Tokens(60), TokenBudget(long.MaxValue)) with { Tokens = long.MaxValue, Lease = TimeSpan.MaxValue });
        await Limiter.SettleAsync(taken.Reservation!, Actual.Of(long.MaxValue, 0), default);

        Assert.Equal([0, 0], await Levels(Tokens(60), TokenBudget(long.MaxValue)));
        Assert.NotNull((await Limiter.TakeAsync(Ask(Tokens(60)) with { Tokens = 1 }, default)).Refusal!.RetryAfter);
        Assert.Null((await Limiter.TakeAsync(Ask(new Bucket("key:large", Dimension.TokensPerMinute, long.MaxValue)) with { Tokens = 7 }, default)).Refusal);
    }

    [Fact]
    public async Task P5_Replicas_that_know_different_limits_for_a_while_never_admit_more_than_the_larger_one()
    {
        await Take(Ask(Tokens(100)) with { Tokens = 100 });

        Assert.NotNull((await Limiter.TakeAsync(Ask(Tokens(60)) with { Tokens = 1 }, default)).Refusal);
        Assert.NotNull((await Limiter.TakeAsync(Ask(Tokens(100)) with { Tokens = 1 }, default)).Refusal);
    }

    [Fact]
    public async Task A_budget_taken_from_for_nothing_in_a_new_month_is_still_charged_at_its_settlement()
    {
        await Take(Ask(TokenBudget(100)) with { Tokens = 90 });
        Advance(TimeSpan.FromDays(15));
        var taken = await Take(Ask(TokenBudget(100)));

        await Limiter.SettleAsync(taken.Reservation!, Actual.Of(7, 0), default);

        Assert.Equal([93], await Levels(TokenBudget(100)));
    }

    [Fact]
    public async Task A_server_that_forgot_the_scripts_is_given_them_again()
    {
        var taken = await Take(Ask(Concurrent(1)));
        await redis.Server.FlushScriptsAsync();
        Assert.NotNull((await Limiter.TakeAsync(Ask(Concurrent(1)), default)).Refusal);
        await redis.Server.FlushScriptsAsync();

        await Limiter.SettleAsync(taken.Reservation!, Actual.Nothing, default);

        await Until(async () => (await Levels(Concurrent(1))).Single() == 1);
    }

    [Fact]
    public async Task P10_Every_key_expires_by_itself()
    {
        await Take(Ask(Requests(60), Tokens(60), Concurrent(5), TokenBudget(100), MoneyBudget(100)) with { Tokens = 10, NanoUsd = 20 });

        var kept = await redis.Server.SendAsync(
            "EVAL", "local n, ever = 0, 0 for _, k in ipairs(redis.call('KEYS', 'tfg:{acme}:*')) do n = n + 1 if redis.call('PTTL', k) < 0 then ever = ever + 1 end end return n * 100 + ever", "0");

        Assert.Equal(":600", kept);
    }

    [Fact]
    public async Task P5_What_a_crashed_process_held_comes_free_with_its_lease()
    {
        await using var crashed = await redis.LimiterAsync(ownsTime: true, o => o with { LongestLease = TimeSpan.FromMinutes(1) });
        var taken = await crashed.TakeAsync(Ask(Concurrent(1), TokenBudget(100)) with { Tokens = 10 }, default);
        Advance(TimeSpan.FromSeconds(59));
        Assert.Equal([0], await Levels(Concurrent(1)));

        Advance(TimeSpan.FromSeconds(1));

        Assert.Equal([1, 90], await Levels(Concurrent(1), TokenBudget(100)));
        await crashed.SettleAsync(taken.Reservation!, Actual.Of(4, 0), default);
        await Until(async () => (await Levels(TokenBudget(100))).Single() == 96);
    }

    private static async Task Until(Func<Task<bool>> condition)
    {
        for (var attempt = 0; !await condition(); attempt++)
        {
            Assert.True(attempt < 500, "It did not come about within 5 seconds.");
            await Task.Delay(10);
        }
    }
}
