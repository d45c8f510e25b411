using StackExchange.Redis;

namespace TokenFactory.Inference.Limits.Redis;

/// <summary>A demand as the script takes it, and the script's answer as a limiter gives it.</summary>
internal static class TakeCall
{
    private const int Header = 4;
    private const long Billion = 1_000_000_000;
    private const long Window = 60_000;
    private const long MostAMinute = 50_000_000_000;
    private const long MaxWait = 365L * 24 * 60 * 60 * 1000;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1);

    public static RedisKey[] Keys(Demand demand)
    {
        var buckets = demand.BucketSpan;
        var keys = new RedisKey[buckets.Length + 1];
        keys[0] = RedisKeys.Reservation(demand.Tenant, demand.ReservationId);
        for (var i = 0; i < buckets.Length; i++)
        {
            keys[i + 1] = RedisKeys.Of(demand.Tenant, buckets[i]);
        }

        return keys;
    }

    public static RedisValue[] Values(Demand demand, TimeSpan longestLease)
    {
        var buckets = demand.BucketSpan;
        var values = new RedisValue[(3 * buckets.Length) + 3];
        values[0] = demand.ReservationId.ToString("N");
        values[1] = Milliseconds(demand.Lease);
        values[2] = Math.Min(Milliseconds(demand.Lease), Milliseconds(longestLease));
        for (var i = 0; i < buckets.Length; i++)
        {
            values[(3 * i) + 3] = RedisKeys.KindOf(buckets[i].Dimension);
            values[(3 * i) + 4] = Math.Max(0, buckets[i].Limit);
            values[(3 * i) + 5] = Amounts.Held(demand, buckets[i]);
        }

        return values;
    }

    /// <returns>False when the ledger must be asked first what a budget has spent.</returns>
    public static bool TryRead(Demand demand, RedisResult answer, out Taking taking)
    {
        var numbers = (long[])answer;
        if (numbers[1] == 2)
        {
            taking = default;
            return false;
        }

        var buckets = demand.BucketSpan;
        var levels = new Level[numbers.Length == Header ? 0 : buckets.Length];
        for (var i = 0; i < levels.Length; i++)
        {
            levels[i] = LevelOf(buckets[i], numbers[0], numbers[Header + (2 * i)], numbers[Header + (2 * i) + 1]);
        }

        taking = numbers[1] == 1
            ? new Taking(new Reservation(demand.ReservationId, demand.Tenant, demand), null, levels)
            : new Taking(null, new Refusal(buckets[(int)numbers[2] - 1], numbers[3] < 0 ? null : TimeSpan.FromMilliseconds(numbers[3])), levels);
        return true;
    }

    /// <summary>The start of the month, UTC, of an instant of the server.</summary>
    public static DateTimeOffset MonthOf(long now)
    {
        var utc = DateTimeOffset.FromUnixTimeMilliseconds(now);
        return new DateTimeOffset(utc.Year, utc.Month, 1, 0, 0, 0, TimeSpan.Zero);
    }

    private static Level LevelOf(in Bucket bucket, long now, long used, long rest)
    {
        switch (bucket.Dimension)
        {
            case Dimension.Concurrent:
                return new Level(bucket, Math.Max(0, bucket.Limit - used), used == 0 ? TimeSpan.Zero : _patience);
            case Dimension.RequestsPerMinute or Dimension.TokensPerMinute:
                var limit = Math.Clamp(bucket.Limit, 0, MostAMinute);
                var full = limit == 0 ? 0 : Math.Min((used + limit - 1) / limit, MaxWait);
                return new Level(bucket, Math.Max(0, ((limit * Window) - used) / Window), TimeSpan.FromMilliseconds(full));
            default:
                var spent = (used * Billion) + rest;
                return new Level(bucket, Math.Max(0, bucket.Limit - spent), MonthOf(now).AddMonths(1) - DateTimeOffset.FromUnixTimeMilliseconds(now));
        }
    }

    // An absurd lease is a long one: the script adds it to the time, and must stay exact.
    private static long Milliseconds(TimeSpan lease) => (long)Math.Clamp(lease.TotalMilliseconds, 0, 10d * MaxWait);
}
