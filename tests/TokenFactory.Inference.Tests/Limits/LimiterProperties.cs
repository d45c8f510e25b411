using FsCheck;
using FsCheck.Fluent;
using TokenFactory.Inference.Limits;
using TokenFactory.Inference.Limits.Local;
using TokenFactory.Storage;
using Xunit;

namespace TokenFactory.Inference.Tests.Limits;

public sealed class LimiterProperties
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
    public void P5_Any_life_of_takes_settlements_and_waits_admits_exactly_what_the_naive_model_admits()
    {
        var step =
            from kind in Gen.Choose(0, 9)
            from id in Gen.Choose(0, 30)
            from subset in Gen.Choose(1, (1 << 7) - 1)
            from tokens in Gen.Frequency((8, Gen.Choose(0, 60)), (1, Gen.Choose(61, 400)))
            from money in Gen.Choose(0, 200)
            from wait in Gen.Frequency((6, Gen.Choose(0, 9000)), (1, Gen.Choose(9001, 90_000)))
            select new Step(kind, id, subset, tokens, money, wait);

        Prop.ForAll(step.ListOf().ToArbitrary(), steps => Agrees([.. steps]))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(300).WithEndSize(120));
    }

    private static bool Agrees(Step[] steps)
    {
        var clock = new ManualClock();
        var ids = Enumerable.Range(0, 31).Select(_ => Ids.New(clock)).ToArray();
        using var limiter = new LocalLimiter(clock);
        var model = new LimiterModel(_buckets);
        var at = 0L;

        foreach (var step in steps)
        {
            switch (step.Kind)
            {
                case <= 4:
                    var asked = _buckets.Where((_, i) => (step.Subset & (1 << i)) != 0).ToArray();
                    var demand = new Demand(ids[step.Id], "t", asked, step.Tokens, step.NanoUsd, TimeSpan.FromSeconds(40));
                    if (Taken(limiter, demand) != model.Take(demand, at))
                    {
                        return false;
                    }

                    break;
                case <= 7:
                    var actual = step.Kind == 5 ? Actual.Nothing : Actual.Of(step.Tokens, step.NanoUsd);
                    Settle(limiter, ids[step.Id], actual);
                    model.Settle(ids[step.Id], actual, at);
                    break;
                default:
                    at += step.Milliseconds;
                    clock.Advance(TimeSpan.FromMilliseconds(step.Milliseconds));
                    limiter.Sweep();
                    break;
            }

            if (!Levels(limiter, clock).SequenceEqual(model.Levels(at)))
            {
                return false;
            }
        }

        return EverythingReturns(limiter, clock, ids);
    }

    /// <summary>After every settlement and a long wait, all but the month's budgets is full, and nothing is kept for it.</summary>
    private static bool EverythingReturns(LocalLimiter limiter, ManualClock clock, Guid[] ids)
    {
        foreach (var id in ids)
        {
            Settle(limiter, id, Actual.Nothing);
        }

        clock.Advance(TimeSpan.FromHours(3));
        limiter.Sweep();
        var full = _buckets.Take(5).Select(bucket => bucket.Limit);
        return limiter is { Open: 0, Buckets: <= 2 } && Levels(limiter, clock).Take(5).SequenceEqual(full);
    }

    private static bool Taken(LocalLimiter limiter, Demand demand) => Now(limiter.TakeAsync(demand, default)).Reservation is not null;

    private static void Settle(LocalLimiter limiter, Guid id, Actual actual)
    {
        var demand = new Demand(id, "t", _buckets, 0, 0, TimeSpan.Zero);
        limiter.SettleAsync(new Reservation(id, "t", demand), actual, default).AsTask().GetAwaiter().GetResult();
    }

    private static long[] Levels(LocalLimiter limiter, ManualClock clock)
    {
        var never = new Bucket("probe", Dimension.Concurrent, 0);
        var refused = Now(limiter.TakeAsync(new Demand(Ids.New(clock), "t", [.. _buckets, never], 0, 0, TimeSpan.Zero), default));
        return [.. refused.Levels.Take(_buckets.Length).Select(level => level.Remaining)];
    }

    private static Taking Now(ValueTask<Taking> taking) => taking.AsTask().GetAwaiter().GetResult();
}
