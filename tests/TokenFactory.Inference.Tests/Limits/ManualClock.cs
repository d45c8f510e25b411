namespace TokenFactory.Inference.Tests.Limits;

/// <summary>Both clocks stand still until told; the wall clock alone can be set back.</summary>
internal sealed class ManualClock : TimeProvider
{
    private DateTimeOffset _utc = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);
    private long _ticks = 1_000_000;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => _utc;

    public override long GetTimestamp() => _ticks;

    public void Advance(TimeSpan time)
    {
        _utc += time;
        _ticks += time.Ticks;
    }

    public void SetWallClockTo(DateTimeOffset utc) => _utc = utc;
}
