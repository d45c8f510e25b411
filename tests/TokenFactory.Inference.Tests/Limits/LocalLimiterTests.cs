using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using TokenFactory.Inference.Limits;
using TokenFactory.Inference.Limits.Local;
using TokenFactory.TestKit.Contracts;
using Xunit;

namespace TokenFactory.Inference.Tests.Limits;

public sealed class LocalLimiterTests : LimiterContract, IDisposable
{
    private readonly ManualClock _clock = new();
    private readonly LocalLimiter _limiter;

    public LocalLimiterTests() => _limiter = new LocalLimiter(_clock);

    protected override ILimiter Limiter => _limiter;

    protected override void Advance(TimeSpan time) => _clock.Advance(time);

    public void Dispose() => _limiter.Dispose();

    [Fact]
    public async Task P10_Full_buckets_and_the_tenants_that_only_have_those_are_forgotten()
    {
        var taken = await Take(Ask(Requests(60), Tokens(60), Concurrent(1)) with { Tokens = 60 });
        await _limiter.SettleAsync(taken.Reservation!, Actual.Of(60, 0), default);
        _limiter.Sweep();
        Assert.Equal((2, 0), (_limiter.Buckets, _limiter.Open));

        _clock.Advance(TimeSpan.FromMinutes(1));
        _limiter.Sweep();

        Assert.Equal(0, _limiter.Buckets);
        Assert.Equal([60, 60, 1], await Levels(Requests(60), Tokens(60), Concurrent(1)));
    }

    [Fact]
    public async Task P5_Forgetting_never_loses_what_is_spent_this_month_or_still_under_way()
    {
        var taken = await Take(Ask(TokenBudget(100), Concurrent(1)) with { Tokens = 10 });
        _clock.Advance(TimeSpan.FromMinutes(5));
        _limiter.Sweep();
        Assert.Equal([90, 0], await Levels(TokenBudget(100), Concurrent(1)));

        await _limiter.SettleAsync(taken.Reservation!, Actual.Of(4, 0), default);
        _clock.Advance(TimeSpan.FromDays(1));
        _limiter.Sweep();

        Assert.Equal([96, 1], await Levels(TokenBudget(100), Concurrent(1)));
    }

    [Fact]
    public async Task A_bucket_with_an_open_reservation_is_kept_so_that_its_debt_is_charged()
    {
        var taken = await Take(Ask(Tokens(60)) with { Tokens = 10 });
        _clock.Advance(TimeSpan.FromMinutes(1));
        _limiter.Sweep();

        await _limiter.SettleAsync(taken.Reservation!, Actual.Of(40, 0), default);

        Assert.Equal([30], await Levels(Tokens(60)));
    }

    [Fact]
    public async Task P10_Past_its_bounds_the_limiter_is_unavailable_to_new_buckets_but_not_to_known_ones()
    {
        using var small = new LocalLimiter(_clock, bounds: new() { BucketsPerTenant = 2, OpenPerTenant = 3 });
        await small.TakeAsync(Ask(TokenBudget(9), MoneyBudget(9)) with { Tokens = 1, NanoUsd = 1 }, default);

        await Assert.ThrowsAsync<LimiterUnavailableException>(async () => await small.TakeAsync(Ask(Requests(9), TokenBudget(9)) with { Tokens = 1 }, default));

        var known = await small.TakeAsync(Ask(TokenBudget(9)) with { Tokens = 1 }, default);
        Assert.Equal(7, known.Levels[0].Remaining);
        await small.TakeAsync(Ask(TokenBudget(9)), default);
        await Assert.ThrowsAsync<LimiterUnavailableException>(async () => await small.TakeAsync(Ask(TokenBudget(9)), default));
        Assert.Equal((2, 3), (small.Buckets, small.Open));
    }

    [Fact]
    public async Task P10_At_the_bound_idle_buckets_make_room()
    {
        using var small = new LocalLimiter(_clock, bounds: new() { BucketsPerTenant = 1 });
        var idle = await small.TakeAsync(Ask(Requests(60)), default);
        await small.SettleAsync(idle.Reservation!, Actual.Of(0, 0), default);
        _clock.Advance(TimeSpan.FromMinutes(1));

        var taking = await small.TakeAsync(Ask(Tokens(60)) with { Tokens = 1 }, default);

        Assert.NotNull(taking.Reservation);
        Assert.Equal(1, small.Buckets);
    }

    [Fact]
    public async Task What_the_ledger_says_was_spent_is_spent_after_a_restart()
    {
        _limiter.Load(Acme, TokenBudget(100), 95);
        _limiter.Load(Acme, MoneyBudget(100), 120);

        Assert.Equal([5, 0], await Levels(TokenBudget(100), MoneyBudget(100)));
        Assert.Equal(TokenBudget(100), (await _limiter.TakeAsync(Ask(TokenBudget(100)) with { Tokens = 6 }, default)).Refusal!.Bucket);
        Assert.Throws<ArgumentException>(() => _limiter.Load(Acme, Tokens(100), 5));
    }

    [Fact]
    public async Task A_wall_clock_set_back_over_the_end_of_a_month_opens_no_spent_month_again()
    {
        _clock.SetWallClockTo(new DateTimeOffset(2026, 12, 1, 0, 0, 1, TimeSpan.Zero));
        await Take(Ask(TokenBudget(100), Requests(60)) with { Tokens = 70 });

        _clock.SetWallClockTo(new DateTimeOffset(2026, 11, 30, 23, 59, 0, TimeSpan.Zero));

        Assert.Equal([30, 59], await Levels(TokenBudget(100), Requests(60)));
    }

    [Fact]
    public async Task Absurd_amounts_neither_overflow_nor_pass()
    {
        var taken = await Take(Ask(Tokens(60), TokenBudget(long.MaxValue)) with { Tokens = long.MaxValue, Lease = TimeSpan.MaxValue });
        await _limiter.SettleAsync(taken.Reservation!, Actual.Of(long.MaxValue, 0), default);

        Assert.Equal([0, 0], await Levels(Tokens(60), TokenBudget(long.MaxValue)));
        Assert.NotNull((await _limiter.TakeAsync(Ask(Tokens(60)) with { Tokens = 1 }, default)).Refusal!.RetryAfter);
        Assert.Null((await _limiter.TakeAsync(Ask(new Bucket("key:large", Dimension.TokensPerMinute, long.MaxValue)) with { Tokens = 7 }, default)).Refusal);
    }

    [Fact]
    public async Task A_caller_that_is_gone_takes_nothing_and_still_settles()
    {
        var taken = await Take(Ask(Concurrent(1)));
        var gone = new CancellationToken(canceled: true);

        await _limiter.SettleAsync(taken.Reservation!, Actual.Nothing, gone);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await _limiter.TakeAsync(Ask(Concurrent(1)), gone));

        Assert.Equal([1], await Levels(Concurrent(1)));
    }

    [Fact]
    public async Task P10_Buckets_and_open_reservations_are_measured()
    {
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var measured = new LocalLimiter(_clock, services.GetRequiredService<IMeterFactory>());
        await measured.TakeAsync(Ask(Requests(60), Concurrent(1)), default);
        var seen = new Dictionary<string, int>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Scope == services.GetRequiredService<IMeterFactory>())
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => seen[$"{instrument.Meter.Name}/{instrument.Name}"] = value);
        listener.Start();

        listener.RecordObservableInstruments();

        Assert.Equal(2, seen["TokenFactory.Gateway/tokenfactory.limits.buckets"]);
        Assert.Equal(1, seen["TokenFactory.Gateway/tokenfactory.limits.open_reservations"]);
    }
}
