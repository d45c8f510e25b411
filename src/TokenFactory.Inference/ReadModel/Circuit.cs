namespace TokenFactory.Inference.ReadModel;

/// <summary>When a deployment that keeps failing is passed over, and for how long. One request at a time then tries whether it answers again.</summary>
public sealed record Circuit
{
    public static Circuit Default { get; } = new();

    /// <summary>The share of failed attempts within the window that opens it, above 0 and at most 1.</summary>
    public double FailureRatio { get; init; } = 0.6;

    /// <summary>Attempts within the window before the share says anything.</summary>
    public int MinimumAttempts { get; init; } = 20;

    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long it stays open the first time; twice as long each time the try fails, up to <see cref="LongestOpen"/>.</summary>
    public TimeSpan Open { get; init; } = TimeSpan.FromSeconds(5);

    public TimeSpan LongestOpen { get; init; } = TimeSpan.FromMinutes(1);
}
