namespace TokenFactory.Storage.Relay;

/// <summary>The relay's clocks and bounds; the same for every sink.</summary>
internal sealed record RelayOptions
{
    public static RelayOptions Default { get; } = new();

    /// <summary>How often to look without being told.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>After being told, and after a delivery that was not full: lets events gather, so that a delivery and a cursor's commit are shared by many.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromMilliseconds(50);

    public TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(100);

    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How often a refused event is offered before it is parked.</summary>
    public int RejectionsBeforeParking { get; init; } = 5;

    /// <summary>How long the last events may take at a stop; what is left is delivered after the next start.</summary>
    public TimeSpan FlushAtStop { get; init; } = TimeSpan.FromSeconds(5);

    public TimeSpan TrimEvery { get; init; } = TimeSpan.FromMinutes(1);
}
