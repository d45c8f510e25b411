namespace TokenFactory.Inference.Limits.Local;

/// <summary>
/// A calendar month's budget. What is reserved counts as spent until it is settled, so the two together never pass the
/// limit; what was taken in a month that is over no longer matters to this one.
/// </summary>
internal sealed class BudgetCell : Cell
{
    private long _limit;
    private long _settled;
    private long _reserved;
    private int _month;

    public BudgetCell(long limit, in Moment now)
    {
        _limit = limit;
        _month = now.Month;
    }

    public override void Advance(long limit, in Moment now)
    {
        _limit = limit;
        Roll(now);
    }

    public override bool TryTake(long amount, out TimeSpan? wait)
    {
        wait = null;
        if (amount > 0 && amount > Left)
        {
            return false;
        }

        _reserved += amount;
        return true;
    }

    public override void Undo(long amount) => _reserved -= amount;

    public override void Settle(long held, long used, int takenInMonth, long milliseconds)
    {
        // A month that ended without anyone asking since is still this cell's: it counts there, and is rolled away later.
        if (takenInMonth == _month)
        {
            _reserved -= held;
            _settled = _settled > long.MaxValue - used ? long.MaxValue : _settled + used;
        }
    }

    public override void Expire(long held, int takenInMonth) => Settle(held, held, takenInMonth, 0);

    /// <summary>Replaces what is known to be spent; what is reserved stays reserved.</summary>
    public void Load(long spent) => _settled = Math.Max(0, spent);

    public override Level LevelOf(in Bucket bucket, in Moment now) => new(bucket, Math.Max(0, Left), now.UntilMonthEnds);

    protected override bool IsIdle(in Moment now)
    {
        Roll(now);
        return _settled == 0 && _reserved == 0;
    }

    // Neither term is negative, and together they pass the limit only by what settlements added: no overflow below zero.
    private long Left => _settled >= _limit ? 0 : _limit - _settled - _reserved;

    private void Roll(in Moment now)
    {
        if (_month != now.Month)
        {
            _month = now.Month;
            _settled = 0;
            _reserved = 0;
        }
    }
}
