namespace TokenFactory.Inference.Limits.Local;

/// <summary>How many requests are under way. The deadlines are the reservations' own; the partition sweeps them.</summary>
internal sealed class LeaseCell(long limit) : Cell
{
    // Nobody knows when a request under way will end; a second is long enough not to be hammered meanwhile.
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1);

    private long _limit = limit;
    private long _open;

    public override void Advance(long limit, in Moment now) => _limit = limit;

    public override bool TryTake(long amount, out TimeSpan? wait)
    {
        wait = _limit > 0 ? _patience : null;
        if (_open >= _limit)
        {
            return false;
        }

        _open += amount;
        return true;
    }

    public override void Undo(long amount) => _open -= amount;

    public override void Settle(long held, long used, int takenInMonth, long milliseconds) => _open -= held;

    public override void Expire(long held, int takenInMonth) => _open -= held;

    public override Level LevelOf(in Bucket bucket, in Moment now) =>
        new(bucket, Math.Max(0, _limit - _open), _open == 0 ? TimeSpan.Zero : _patience);

    protected override bool IsIdle(in Moment now) => _open == 0;
}
