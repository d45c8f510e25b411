namespace TokenFactory.Inference.Limits.Local;

/// <summary>Past a bound the limiter is unavailable (503) to that tenant alone: it forgets nothing to make room.</summary>
public sealed record LocalLimiterBounds
{
    public static LocalLimiterBounds Default { get; } = new();

    public int BucketsPerTenant { get; init; } = 100_000;

    public int OpenPerTenant { get; init; } = 100_000;
}
