namespace TokenFactory.Inference.Limits.Local;

/// <summary>
/// Reads both clocks. The month never goes backwards: a wall clock set back over a month's end would otherwise open a
/// window that is already spent. Used under the partition's lock.
/// </summary>
internal sealed class MonthlyClock(TimeProvider clock, long origin)
{
    private int _month;
    private DateTimeOffset _ends;

    public Moment Read()
    {
        var utc = clock.GetUtcNow();
        if (utc >= _ends)
        {
            var starts = new DateTimeOffset(utc.UtcDateTime.Year, utc.UtcDateTime.Month, 1, 0, 0, 0, TimeSpan.Zero);
            _ends = starts.AddMonths(1);
            _month = (starts.Year * 12) + starts.Month - 1;
        }

        return new Moment(Milliseconds, _month, _ends - utc);
    }

    public long Milliseconds => clock.GetElapsedTime(origin).Ticks / TimeSpan.TicksPerMillisecond;
}
