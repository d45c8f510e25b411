using TokenFactory.Inference.Limits;
using TokenFactory.Storage;
using Xunit;

namespace TokenFactory.TestKit.Contracts;

/// <summary>What every limiter promises. Rates are chosen slow (one unit per second), so that a real clock may tick along.</summary>
public abstract class LimiterContract
{
    protected const string Acme = "acme";

    private static readonly TimeSpan _lease = TimeSpan.FromMinutes(10);

    protected abstract ILimiter Limiter { get; }

    protected abstract void Advance(TimeSpan time);

    protected static Bucket Requests(long limit) => new("key:ci", Dimension.RequestsPerMinute, limit);

    protected static Bucket Tokens(long limit) => new("project:search", Dimension.TokensPerMinute, limit);

    protected static Bucket Concurrent(long limit) => new("tenant", Dimension.Concurrent, limit);

    protected static Bucket TokenBudget(long limit) => new("project:search", Dimension.TokensPerMonth, limit);

    protected static Bucket MoneyBudget(long limit) => new("project:search", Dimension.NanoUsdPerMonth, limit);

    protected static Demand Ask(params Bucket[] buckets) => new(Ids.New(TimeProvider.System), Acme, buckets, 0, 0, _lease);

    [Fact]
    public async Task P5_A_take_takes_from_every_bucket_and_reports_them_in_the_order_asked()
    {
        var demand = Ask(TokenBudget(100), Requests(60), Concurrent(5), Tokens(60), MoneyBudget(50)) with { Tokens = 10, NanoUsd = 20 };

        var taking = await Limiter.TakeAsync(demand, default);

        Assert.Null(taking.Refusal);
        Assert.Equal(demand.ReservationId, taking.Reservation!.Id);
        Assert.Equal(demand.Buckets, taking.Levels.Select(level => level.Bucket));
        Assert.Equal([90, 59, 4, 50, 30], taking.Levels.Select(level => level.Remaining));
    }

    [Fact]
    public async Task P5_A_refusal_consumes_nothing_anywhere()
    {
        var fits = new[] { Requests(60), Tokens(60), Concurrent(5), TokenBudget(100) };
        await Take(Ask(MoneyBudget(10)) with { NanoUsd = 10 });

        var refused = await Limiter.TakeAsync(Ask([.. fits, MoneyBudget(10)]) with { Tokens = 10, NanoUsd = 1 }, default);

        Assert.Null(refused.Reservation);
        Assert.Equal(MoneyBudget(10), refused.Refusal!.Bucket);
        Assert.Equal([60, 60, 5, 100, 0], refused.Levels.Select(level => level.Remaining));
        Assert.Equal([59, 50, 4, 90], (await Limiter.TakeAsync(Ask(fits) with { Tokens = 10 }, default)).Levels.Select(level => level.Remaining));
    }

    [Fact]
    public async Task A_refusal_names_the_longest_wait_and_the_demand_fits_after_it()
    {
        await Take(Ask(Requests(1), Tokens(60)) with { Tokens = 60 });
        var demand = Ask(Requests(1), Tokens(60), Concurrent(1)) with { Tokens = 10 };

        var refusal = (await Limiter.TakeAsync(demand, default)).Refusal!;

        Assert.Equal(Requests(1), refusal.Bucket);
        Assert.InRange(refusal.RetryAfter!.Value, TimeSpan.FromSeconds(58), TimeSpan.FromSeconds(60));
        Advance(refusal.RetryAfter.Value - TimeSpan.FromSeconds(2));
        Assert.NotNull((await Limiter.TakeAsync(demand, default)).Refusal);
        Advance(TimeSpan.FromSeconds(2));
        Assert.Null((await Limiter.TakeAsync(demand, default)).Refusal);
    }

    [Theory]
    [InlineData(Dimension.RequestsPerMinute)]
    [InlineData(Dimension.TokensPerMinute)]
    [InlineData(Dimension.Concurrent)]
    [InlineData(Dimension.TokensPerMonth)]
    [InlineData(Dimension.NanoUsdPerMonth)]
    public async Task P5_A_limit_of_zero_refuses_without_promising_a_time(Dimension dimension)
    {
        var none = new Bucket("key:none", dimension, 0);

        var taking = await Limiter.TakeAsync(Ask(Requests(60), none) with { Tokens = 1, NanoUsd = 1 }, default);

        Assert.Equal(new Refusal(none, null), taking.Refusal);
    }

    [Fact]
    public async Task A_wait_without_end_is_longer_than_any_other()
    {
        await Take(Ask(Requests(1)));

        var refusal = (await Limiter.TakeAsync(Ask(Requests(1), TokenBudget(5)) with { Tokens = 6 }, default)).Refusal;

        Assert.Equal(new Refusal(TokenBudget(5), null), refusal);
    }

    [Fact]
    public async Task A_demand_above_a_whole_window_waits_for_a_full_bucket_and_takes_all_of_it()
    {
        await Take(Ask(Tokens(60)) with { Tokens = 30 });
        var large = Ask(Tokens(60)) with { Tokens = 1_000_000 };

        Assert.InRange((await Limiter.TakeAsync(large, default)).Refusal!.RetryAfter!.Value, TimeSpan.FromSeconds(29), TimeSpan.FromSeconds(30));
        Advance(TimeSpan.FromSeconds(30));

        Assert.Equal(0, (await Take(large)).Levels[0].Remaining);
    }

    [Fact]
    public async Task A_demand_that_costs_nothing_passes_an_empty_budget()
    {
        await Take(Ask(MoneyBudget(10)) with { NanoUsd = 10 });

        Assert.Null((await Limiter.TakeAsync(Ask(MoneyBudget(10)), default)).Refusal);
        Assert.Null((await Limiter.TakeAsync(Ask(MoneyBudget(0)), default)).Refusal);
    }

    [Fact]
    public async Task Settlement_gives_back_what_was_not_used_and_frees_the_lease()
    {
        var buckets = new[] { Requests(60), Tokens(60), Concurrent(1), TokenBudget(100), MoneyBudget(100) };
        var taken = await Take(Ask(buckets) with { Tokens = 50, NanoUsd = 50 });

        await Limiter.SettleAsync(taken.Reservation!, Actual.Of(5, 7), default);

        Assert.Equal([59, 55, 1, 95, 93], await Levels(buckets));
    }

    [Fact]
    public async Task Use_above_the_hold_becomes_debt_that_time_pays_off()
    {
        var taken = await Take(Ask(Tokens(60), TokenBudget(100)) with { Tokens = 60 });

        await Limiter.SettleAsync(taken.Reservation!, Actual.Of(90, 0), default);

        Assert.Equal([0, 10], await Levels(Tokens(60), TokenBudget(100)));
        var wait = (await Limiter.TakeAsync(Ask(Tokens(60)) with { Tokens = 1 }, default)).Refusal!.RetryAfter!.Value;
        Assert.InRange(wait, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(31));
        Advance(wait);
        Assert.Null((await Limiter.TakeAsync(Ask(Tokens(60)) with { Tokens = 1 }, default)).Refusal);
    }

    [Fact]
    public async Task P5_Only_the_first_settlement_of_a_reservation_counts()
    {
        var buckets = new[] { Requests(60), Tokens(60), Concurrent(3), TokenBudget(100) };
        await Take(Ask(buckets) with { Tokens = 20 });
        var taken = await Take(Ask(buckets) with { Tokens = 20 });

        await Limiter.SettleAsync(taken.Reservation!, Actual.Of(10, 0), default);
        await Limiter.SettleAsync(taken.Reservation!, Actual.Nothing, default);
        await Limiter.SettleAsync(taken.Reservation!, Actual.Of(0, 0), default);

        Assert.Equal([58, 30, 2, 70], await Levels(buckets));
    }

    [Fact]
    public async Task What_did_not_happen_is_given_back_whole()
    {
        var buckets = new[] { Requests(60), Tokens(60), Concurrent(1), TokenBudget(100), MoneyBudget(100) };
        var taken = await Take(Ask(buckets) with { Tokens = 50, NanoUsd = 50 });

        await Limiter.SettleAsync(taken.Reservation!, Actual.Nothing, default);

        Assert.Equal([60, 60, 1, 100, 100], await Levels(buckets));
    }

    [Fact]
    public async Task Taking_the_same_reservation_again_takes_once_and_answers_the_same()
    {
        var demand = Ask(Requests(60), Tokens(60), Concurrent(1), TokenBudget(100)) with { Tokens = 50 };
        var first = await Take(demand);

        var second = await Limiter.TakeAsync(demand, default);

        Assert.Equal(first.Reservation!.Id, second.Reservation!.Id);
        Assert.Equal(first.Levels.Select(level => level.Remaining), second.Levels.Select(level => level.Remaining));
        Assert.Equal([59, 10, 0, 50], await Levels([.. demand.Buckets]));
    }

    [Fact]
    public async Task A_lease_nobody_settled_ends_by_itself_and_stays_charged_at_its_hold()
    {
        var demand = Ask(Concurrent(1), TokenBudget(100), MoneyBudget(100)) with { Tokens = 50, NanoUsd = 40 };
        var taken = await Take(demand);
        Advance(_lease - TimeSpan.FromSeconds(5));
        Assert.Equal(Concurrent(1), (await Limiter.TakeAsync(Ask(Concurrent(1)), default)).Refusal!.Bucket);

        Advance(TimeSpan.FromSeconds(5));

        Assert.Equal([1, 50, 60], await Levels([.. demand.Buckets]));
        await Limiter.SettleAsync(taken.Reservation!, Actual.Nothing, default);
        Assert.Equal([1, 50, 60], await Levels([.. demand.Buckets]));
    }

    [Fact]
    public async Task P5_A_budget_counts_reserved_and_settled_together_until_its_month_ends()
    {
        var settled = await Take(Ask(TokenBudget(100)) with { Tokens = 60 });
        await Limiter.SettleAsync(settled.Reservation!, Actual.Of(50, 0), default);
        await Take(Ask(TokenBudget(100)) with { Tokens = 40 });

        var refused = await Limiter.TakeAsync(Ask(TokenBudget(100)) with { Tokens = 11 }, default);

        Assert.Equal(new Refusal(TokenBudget(100), null), refused.Refusal);
        Assert.InRange(refused.Levels[0].Reset, TimeSpan.Zero, TimeSpan.FromDays(31));
        Advance(refused.Levels[0].Reset + TimeSpan.FromSeconds(1));
        Assert.Equal(89, (await Take(Ask(TokenBudget(100)) with { Tokens = 11 })).Levels[0].Remaining);
    }

    [Fact]
    public async Task A_reservation_settled_next_month_counts_in_the_month_it_was_taken()
    {
        var taken = await Take(Ask(TokenBudget(100), MoneyBudget(100)) with { Tokens = 60, NanoUsd = 60, Lease = TimeSpan.FromDays(60) });
        Advance(TimeSpan.FromDays(32));
        await Take(Ask(TokenBudget(100), MoneyBudget(100)) with { Tokens = 5, NanoUsd = 5 });

        await Limiter.SettleAsync(taken.Reservation!, Actual.Of(80, 10), default);

        Assert.Equal([95, 95], await Levels(TokenBudget(100), MoneyBudget(100)));
    }

    [Theory]
    [InlineData(120, 90)]
    [InlineData(40, 10)]
    [InlineData(20, 0)]
    public async Task A_changed_limit_holds_at_once_and_forgets_nothing(long limit, long left)
    {
        await Take(Ask(Tokens(60), TokenBudget(60)) with { Tokens = 30 });

        Assert.Equal([left, left], await Levels(Tokens(limit), TokenBudget(limit)));
    }

    [Fact]
    public async Task A_lowered_rate_locks_nobody_out_for_longer_than_its_own_minute()
    {
        await Take(Ask(Tokens(6000)) with { Tokens = 6000 });

        var refusal = (await Limiter.TakeAsync(Ask(Tokens(60)) with { Tokens = 60 }, default)).Refusal!;

        Assert.InRange(refusal.RetryAfter!.Value, TimeSpan.FromSeconds(58), TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task A_bucket_is_never_fuller_than_its_limit()
    {
        var taken = await Take(Ask(Tokens(60)) with { Tokens = 30 });
        Advance(TimeSpan.FromMinutes(9));

        await Limiter.SettleAsync(taken.Reservation!, Actual.Nothing, default);

        Assert.Equal([60], await Levels(Tokens(60)));
    }

    [Fact]
    public async Task P9_Tenants_do_not_share_buckets_of_the_same_name()
    {
        await Take(Ask(Requests(1)));

        Assert.Null((await Limiter.TakeAsync(Ask(Requests(1)) with { Tenant = "other" }, default)).Refusal);
    }

    [Fact]
    public async Task P5_A_bucket_named_twice_is_charged_twice_and_never_overdrawn()
    {
        Assert.NotNull((await Limiter.TakeAsync(Ask(Requests(1), Requests(1)), default)).Refusal);
        Assert.Equal([1], await Levels(Requests(1)));
    }

    [Theory]
    [InlineData(Dimension.RequestsPerMinute)]
    [InlineData(Dimension.TokensPerMinute)]
    [InlineData(Dimension.Concurrent)]
    [InlineData(Dimension.TokensPerMonth)]
    [InlineData(Dimension.NanoUsdPerMonth)]
    public async Task P5_Of_100_takes_at_once_exactly_as_many_as_fit_are_admitted(Dimension dimension)
    {
        var wide = new Bucket("tenant", Dimension.RequestsPerMinute, 10_000);
        var narrow = new Bucket("key:ci", dimension, 17);
        using var start = new Barrier(4);

        var takings = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(
            () =>
            {
                start.SignalAndWait();
                return Enumerable.Range(0, 25)
                    .Select(_ => Limiter.TakeAsync(Ask(wide, narrow) with { Tokens = 1, NanoUsd = 1 }, default).AsTask().GetAwaiter().GetResult())
                    .ToArray();
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)));

        Assert.Equal(17, takings.SelectMany(taking => taking).Count(taking => taking.Reservation is not null));
        Assert.Equal([10_000 - 17], await Levels(wide));
    }

    protected async Task<Taking> Take(Demand demand)
    {
        var taking = await Limiter.TakeAsync(demand, default);
        Assert.Null(taking.Refusal);
        return taking;
    }

    /// <summary>Looks without leaving a trace: a demand that is always refused still reports every level.</summary>
    protected async Task<IEnumerable<long>> Levels(params Bucket[] buckets)
    {
        var probe = new Bucket("probe", Dimension.Concurrent, 0);
        var refused = await Limiter.TakeAsync(Ask([.. buckets, probe]), default);
        Assert.NotNull(refused.Refusal);
        return refused.Levels.Take(buckets.Length).Select(level => level.Remaining);
    }
}
