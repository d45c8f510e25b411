using TokenFactory.Inference.Limits;

namespace TokenFactory.Inference.Tests.Limits;

/// <summary>
/// The limiter told naively: every bucket is replayed from its whole history with exact fractions, one millisecond's
/// refill at a time in effect, and nothing is shared with the real one. Time is in milliseconds; no month ends.
/// </summary>
internal sealed class LimiterModel(IReadOnlyList<Bucket> buckets)
{
    private readonly List<(long At, Bucket Bucket, decimal Change)> _history = [];
    private readonly Dictionary<Guid, (Demand Demand, long Deadline)> _open = [];

    public bool Take(Demand demand, long at)
    {
        Expire(at);
        if (_open.ContainsKey(demand.ReservationId))
        {
            return true;
        }

        if (!demand.Buckets.All(bucket => Hold(demand, bucket) is var hold && (hold == 0 || hold <= Left(bucket, at))))
        {
            return false;
        }

        _history.AddRange(demand.Buckets.Select(bucket => (at, bucket, -(decimal)Hold(demand, bucket))));
        _open.Add(demand.ReservationId, (demand, at + (long)demand.Lease.TotalMilliseconds));
        return true;
    }

    public void Settle(Guid id, Actual actual, long at)
    {
        // The real limiter sweeps when somebody takes; settling just past the deadline still counts there.
        if (_open.Remove(id, out var open))
        {
            _history.AddRange(open.Demand.Buckets.Select(bucket => (at, bucket, (decimal)(Hold(open.Demand, bucket) - Used(actual, bucket)))));
        }
    }

    public long[] Levels(long at)
    {
        Expire(at);
        return [.. buckets.Select(bucket => (long)Math.Max(0, Math.Floor(Left(bucket, at))))];
    }

    private void Expire(long at)
    {
        foreach (var (id, (demand, _)) in _open.Where(open => open.Value.Deadline <= at).ToList())
        {
            _open.Remove(id);
            _history.AddRange(demand.Buckets.Where(bucket => bucket.Dimension == Dimension.Concurrent).Select(bucket => (at, bucket, 1m)));
        }
    }

    private decimal Left(Bucket bucket, long at)
    {
        var refills = bucket.Dimension is Dimension.RequestsPerMinute or Dimension.TokensPerMinute;
        decimal left = bucket.Limit * 60_000;
        var since = 0L;
        foreach (var (when, _, change) in _history.Where(change => change.Bucket == bucket).Append((at, bucket, 0)))
        {
            left = Math.Min(bucket.Limit * 60_000, left + (refills ? (when - since) * bucket.Limit : 0));
            left = Math.Min(bucket.Limit * 60_000, left + (change * 60_000));
            since = when;
        }

        return left / 60_000;
    }

    private static long Hold(Demand demand, Bucket bucket) => bucket.Dimension switch
    {
        Dimension.RequestsPerMinute or Dimension.Concurrent => 1,
        Dimension.TokensPerMinute => Math.Min(demand.Tokens, bucket.Limit),
        Dimension.TokensPerMonth => demand.Tokens,
        _ => demand.NanoUsd,
    };

    private static long Used(Actual actual, Bucket bucket) => !actual.Counts ? 0 : bucket.Dimension switch
    {
        Dimension.RequestsPerMinute => 1,
        Dimension.Concurrent => 0,
        Dimension.NanoUsdPerMonth => actual.NanoUsd,
        _ => actual.Tokens,
    };
}
