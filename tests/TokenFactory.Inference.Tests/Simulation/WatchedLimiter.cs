using TokenFactory.Inference.Limits;
using TokenFactory.Inference.Limits.Local;

namespace TokenFactory.Inference.Tests.Simulation;

/// <summary>The product's limiter of one process, beside a sum that is kept naively.</summary>
internal sealed class WatchedLimiter(World world) : ILimiter, IDisposable
{
    private readonly LocalLimiter _limiter = new(world.Clock);
    private readonly Dictionary<Guid, Demand> _open = [];
    private long _used;

    /// <summary>What each request was charged.</summary>
    public Dictionary<Guid, Actual> Charged { get; } = [];

    public async ValueTask<Taking> TakeAsync(Demand demand, CancellationToken cancel)
    {
        var taken = await _limiter.TakeAsync(demand, cancel);
        if (taken.Reservation is not null)
        {
            _open[demand.ReservationId] = demand;
            foreach (var bucket in demand.Buckets)
            {
                world.Require(bucket.Dimension != Dimension.Concurrent || _open.Count <= bucket.Limit, "no more run at once than the limit says");
                world.Require(
                    bucket.Dimension != Dimension.TokensPerMonth || _used + _open.Values.Sum(static one => one.Tokens) <= bucket.Limit,
                    "what is used and what is held never pass the budget together");
            }
        }

        return taken;
    }

    public async ValueTask SettleAsync(Reservation reservation, Actual actual, CancellationToken cancel)
    {
        if (_open.Remove(reservation.Id))
        {
            _used += actual.Counts ? actual.Tokens : 0;
            Charged.Add(reservation.Id, actual);
        }

        await _limiter.SettleAsync(reservation, actual, cancel);
    }

    public ValueTask LoadAsync(string tenant, Bucket bucket, long spent, DateTimeOffset month, CancellationToken cancel) => _limiter.LoadAsync(tenant, bucket, spent, month, cancel);

    /// <summary>At the end nothing is held, and of the budget exactly what was charged is used.</summary>
    public void CheckLevels(Demand probe)
    {
        var taken = _limiter.TakeAsync(probe, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        foreach (var level in taken.Levels)
        {
            world.Require(
                level.Bucket.Dimension != Dimension.TokensPerMonth || level.Remaining == level.Bucket.Limit - _used,
                $"the budget's level is what was charged ({level.Bucket.Limit - level.Remaining}, charged {_used})");
            world.Require(
                level.Bucket.Dimension != Dimension.Concurrent || level.Remaining == level.Bucket.Limit - 1,
                $"nothing holds a place at the end ({level.Bucket.Limit - level.Remaining - 1} of {level.Bucket.Limit} are held)");
        }

        world.Require(_open.Count == 0, "every reservation is settled");
    }

    public void Dispose() => _limiter.Dispose();
}
