namespace TokenFactory.Inference.Limits.Local;

/// <summary>
/// A token bucket: a minute's limit as its capacity, refilled evenly. Amounts are kept in units of 1/60000, so that each
/// millisecond refills exactly <c>limit</c> of them: integers only, and no drift however often it is read.
/// </summary>
internal sealed class RateCell : Cell
{
    private const long Window = 60_000;

    // Amounts above it are cut: 10^13 in a minute is no limit at all, and the arithmetic cannot overflow.
    private const long MaxAmount = 10_000_000_000_000;
    private const long MaxUsed = long.MaxValue / 4;
    private const long MaxWait = 365L * 24 * 60 * 60 * 1000;

    private long _limit;
    private long _used;
    private long _at;

    public RateCell(long limit, in Moment now)
    {
        _limit = Bounded(limit);
        _at = now.Milliseconds;
    }

    private long Capacity => _limit * Window;

    public override void Advance(long limit, in Moment now)
    {
        Refill(now.Milliseconds);
        limit = Bounded(limit);
        if (limit == _limit)
        {
            return;
        }

        // What was within the old limit is within the new one: lowering a limit must not lock callers out for as many
        // minutes as the old limit was larger. Debt stays debt.
        var capacity = limit * Window;
        _used = _used <= Capacity ? Math.Min(_used, capacity) : capacity + (_used - Capacity);
        _limit = limit;
    }

    public override bool TryTake(long amount, out TimeSpan? wait)
    {
        wait = null;
        if (amount == 0 || _limit == 0)
        {
            return amount == 0;
        }

        var needed = Math.Min(amount, _limit) * Window;
        if (_used + needed > Capacity)
        {
            wait = RefillOf(_used + needed - Capacity);
            return false;
        }

        _used += needed;
        return true;
    }

    public override void Undo(long amount) => _used -= Math.Min(amount, _limit) * Window;

    public override void Settle(long held, long used, int takenInMonth, long milliseconds)
    {
        Refill(milliseconds);
        _used = Math.Clamp(_used + ((Bounded(used) - Bounded(held)) * Window), 0, MaxUsed);
    }

    public override void Expire(long held, int takenInMonth)
    {
        // Charged at the hold already.
    }

    public override Level LevelOf(in Bucket bucket, in Moment now) =>
        new(bucket, Math.Max(0, (Capacity - _used) / Window), _limit == 0 ? TimeSpan.Zero : RefillOf(_used));

    protected override bool IsIdle(in Moment now)
    {
        Refill(now.Milliseconds);
        return _used == 0;
    }

    private void Refill(long milliseconds)
    {
        var elapsed = milliseconds - _at;
        _at = milliseconds;
        if (_used > 0 && _limit > 0)
        {
            _used = elapsed > _used / _limit ? 0 : _used - (elapsed * _limit);
        }
    }

    private TimeSpan RefillOf(long units) => TimeSpan.FromMilliseconds(Math.Min((units + _limit - 1) / _limit, MaxWait));

    private static long Bounded(long amount) => Math.Clamp(amount, 0, MaxAmount);
}
