using FsCheck;
using FsCheck.Fluent;
using TokenFactory.Inference.Limits;
using TokenFactory.Inference.Limits.Local;
using TokenFactory.Storage;
using Xunit;

namespace TokenFactory.Inference.Tests.Limits;

public sealed class LimiterProperties(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private static readonly Bucket[] _buckets =
    [
        new("key:a", Dimension.RequestsPerMinute, 7),
        new("tenant", Dimension.RequestsPerMinute, 11),
        new("key:a", Dimension.TokensPerMinute, 97),
        new("tenant", Dimension.TokensPerMinute, 301),
        new("tenant", Dimension.Concurrent, 4),
        new("project:p", Dimension.TokensPerMonth, 2000),
        new("project:p", Dimension.NanoUsdPerMonth, 3000),
    ];

    /// <summary>One step of a random life: a take (perhaps of an id used before), a settlement (perhaps a second one), or a wait.</summary>
    public sealed record Step(int Kind, int Id, int Subset, int Tokens, int NanoUsd, int Milliseconds);

    [Fact]
    public void P5_Any_life_of_takes_settlements_and_waits_admits_exactly_what_the_naive_model_admits() =>
        Prop.ForAll(Lives(), steps =>
        {
            var clock = new ManualClock();
            using var limiter = new LocalLimiter(clock);
            void Advance(TimeSpan time)
            {
                clock.Advance(time);
                limiter.Sweep();
            }

            var agrees = Agrees([.. steps], limiter, "t", Advance);
            limiter.Sweep();
            return agrees && limiter is { Open: 0, Buckets: <= 2 };
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300).WithEndSize(120));

    [Fact]
    public async Task P5_Any_life_in_Redis_admits_exactly_what_the_naive_model_admits()
    {
        var now = new DateTimeOffset(2026, 11, 2, 12, 0, 0, TimeSpan.Zero);
        await redis.SetTimeAsync(now);
        await using var limiter = await redis.LimiterAsync(ownsTime: true);
        var lives = 0;
        void Advance(TimeSpan time) => redis.SetTimeAsync(now += time).GetAwaiter().GetResult();

        // Each life is another tenant's, within one month. A thread of its own, because a property waits for its takes.
        await Task.Factory.StartNew(
            () => Prop.ForAll(Lives(), steps =>
            {
                now = new DateTimeOffset(2026, 11, 2, 12, 0, 0, TimeSpan.Zero);
                Advance(TimeSpan.Zero);
                return Agrees([.. steps], limiter, $"t{lives++}", Advance);
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(100).WithEndSize(120)),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
    }

    private static Arbitrary<List<Step>> Lives()
    {
        var step =
            from kind in Gen.Choose(0, 9)
            from id in Gen.Choose(0, 30)
            from subset in Gen.Choose(1, (1 << 7) - 1)
            from tokens in Gen.Frequency((8, Gen.Choose(0, 60)), (1, Gen.Choose(61, 400)))
            from money in Gen.Choose(0, 200)
            from wait in Gen.Frequency((6, Gen.Choose(0, 9000)), (1, Gen.Choose(9001, 90_000)))
            select new Step(kind, id, subset, tokens, money, wait);
        return step.ListOf().ToArbitrary();
    }

    private static bool Agrees(Step[] steps, ILimiter limiter, string tenant, Action<TimeSpan> advance)
    {
        var ids = Enumerable.Range(0, 31).Select(_ => Ids.New(TimeProvider.System)).ToArray();
        var model = new LimiterModel(_buckets);
        var at = 0L;

        foreach (var step in steps)
        {
            switch (step.Kind)
            {
                case <= 4:
                    var asked = _buckets.Where((_, i) => (step.Subset & (1 << i)) != 0).ToArray();
                    var demand = new Demand(ids[step.Id], tenant, asked, step.Tokens, step.NanoUsd, TimeSpan.FromSeconds(40));
                    if (Taken(limiter, demand) != model.Take(demand, at))
                    {
                        return false;
                    }

                    break;
                case <= 7:
                    var actual = step.Kind == 5 ? Actual.Nothing : Actual.Of(step.Tokens, step.NanoUsd);
                    Settle(limiter, ids[step.Id], tenant, actual);
                    model.Settle(ids[step.Id], actual, at);
                    break;
                default:
                    at += step.Milliseconds;
                    advance(TimeSpan.FromMilliseconds(step.Milliseconds));
                    break;
            }

            if (!Levels(limiter, tenant).SequenceEqual(model.Levels(at)))
            {
                return false;
            }
        }

        return EverythingReturns(limiter, tenant, advance, ids);
    }

    /// <summary>After every settlement and a long wait, all but the month's budgets is full.</summary>
    private static bool EverythingReturns(ILimiter limiter, string tenant, Action<TimeSpan> advance, Guid[] ids)
    {
        foreach (var id in ids)
        {
            Settle(limiter, id, tenant, Actual.Nothing);
        }

        advance(TimeSpan.FromHours(3));
        return Levels(limiter, tenant).Take(5).SequenceEqual(_buckets.Take(5).Select(bucket => bucket.Limit));
    }

    private static bool Taken(ILimiter limiter, Demand demand) => Now(limiter.TakeAsync(demand, default)).Reservation is not null;

    private static void Settle(ILimiter limiter, Guid id, string tenant, Actual actual)
    {
        var demand = new Demand(id, tenant, _buckets, 0, 0, TimeSpan.Zero);
        limiter.SettleAsync(new Reservation(id, tenant, demand), actual, default).AsTask().GetAwaiter().GetResult();
    }

    private static long[] Levels(ILimiter limiter, string tenant)
    {
        var never = new Bucket("probe", Dimension.Concurrent, 0);
        var refused = Now(limiter.TakeAsync(new Demand(Ids.New(TimeProvider.System), tenant, [.. _buckets, never], 0, 0, TimeSpan.Zero), default));
        return [.. refused.Levels.Take(_buckets.Length).Select(level => level.Remaining)];
    }

    private static Taking Now(ValueTask<Taking> taking) => taking.AsTask().GetAwaiter().GetResult();
}
