namespace TokenFactory.Inference.Limits.Local;

/// <summary>
/// What is known of one bucket. It holds what was <em>used</em>, not what is left, so that a changed limit takes effect
/// without forgetting anything. Every amount is zero or more; an amount of zero always fits. Used under the partition's lock.
/// </summary>
internal abstract class Cell
{
    private int _pins;

    /// <summary>Nothing points here and a new cell would know as much: this one can be forgotten.</summary>
    public bool IsForgettable(in Moment now) => _pins == 0 && IsIdle(now);

    /// <summary>An open reservation points here; its settlement must find the very same cell.</summary>
    public void Pin() => _pins++;

    public void Unpin() => _pins--;

    public static Cell For(in Bucket bucket, in Moment now) => bucket.Dimension switch
    {
        Dimension.RequestsPerMinute or Dimension.TokensPerMinute => new RateCell(bucket.Limit, now),
        Dimension.Concurrent => new LeaseCell(bucket.Limit),
        Dimension.TokensPerMonth or Dimension.NanoUsdPerMonth => new BudgetCell(bucket.Limit, now),
        _ => throw new ArgumentOutOfRangeException(nameof(bucket), bucket.Dimension, "No limiter counts this dimension."),
    };

    /// <summary>Brings the cell to this instant, and to the limit now in force.</summary>
    public abstract void Advance(long limit, in Moment now);

    /// <summary>Takes after <see cref="Advance"/>, or says how long until it could; null is never by waiting.</summary>
    public abstract bool TryTake(long amount, out TimeSpan? wait);

    /// <summary>Undoes a take of this very instant: another bucket of the same demand refused.</summary>
    public abstract void Undo(long amount);

    /// <summary>Replaces what was held by what was used.</summary>
    public abstract void Settle(long held, long used, int takenInMonth, long milliseconds);

    /// <summary>Nobody settled in time: what was spent stays charged at its hold, what was occupied comes free.</summary>
    public abstract void Expire(long held, int takenInMonth);

    public abstract Level LevelOf(in Bucket bucket, in Moment now);

    protected abstract bool IsIdle(in Moment now);
}
