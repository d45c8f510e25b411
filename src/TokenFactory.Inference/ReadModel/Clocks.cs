namespace TokenFactory.Inference.ReadModel;

/// <summary>The four clocks of an attempt. There is no total cap on streams unless one is configured.</summary>
public sealed record Clocks
{
    public static Clocks Default { get; } = new();

    public TimeSpan Connect { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>From dispatch to the first byte of the body.</summary>
    public TimeSpan FirstByte { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>Between two reads of the body.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Of the whole attempt; null is no cap.</summary>
    public TimeSpan? Total { get; init; }
}
