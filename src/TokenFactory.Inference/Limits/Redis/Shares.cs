using TokenFactory.Inference.Limits.Local;

namespace TokenFactory.Inference.Limits.Redis;

/// <summary>
/// While Redis is away: every replica enforces its share of a limit by itself, rounded down, so that all of them together
/// stay within it. A month's budget cannot be shared, because nobody knows what the others have spent of it: what would
/// cost one is refused.
/// </summary>
internal sealed class Shares(TimeProvider clock) : IDisposable
{
    private readonly LocalLimiter _own = new(clock);
    private int _replicas = 1;

    /// <summary>The last count that Redis gave, this replica included. It stays when Redis goes: replicas that are added meanwhile cannot start without Redis, and those that leave only make the shares too small.</summary>
    public int Replicas
    {
        get => Volatile.Read(ref _replicas);
        set => Volatile.Write(ref _replicas, Math.Max(1, value));
    }

    /// <exception cref="LimiterUnavailableException">The demand costs a month's budget.</exception>
    public ValueTask<Taking> TakeAsync(Demand demand, CancellationToken cancel)
    {
        var shares = new Bucket[demand.Buckets.Count];
        for (var i = 0; i < shares.Length; i++)
        {
            var bucket = demand.Buckets[i];
            if (bucket.Dimension is Dimension.TokensPerMonth or Dimension.NanoUsdPerMonth && Amounts.Held(demand, bucket) > 0)
            {
                throw new LimiterUnavailableException("Redis is away, and a month's budget is not shared without it.");
            }

            shares[i] = bucket with { Limit = bucket.Limit / Replicas };
        }

        return _own.TakeAsync(demand with { Buckets = shares }, cancel);
    }

    /// <returns>False for what was not taken here.</returns>
    public bool TrySettle(Reservation reservation, Actual actual) => _own.TrySettle(reservation, actual);

    public void Dispose() => _own.Dispose();
}
