namespace TokenFactory.Inference.ReadModel;

/// <summary>Rate limits and budgets of one subject; null is no limit of that kind.</summary>
public sealed record LimitSet
{
    public static LimitSet None { get; } = new();

    public long? RequestsPerMinute { get; init; }

    public long? TokensPerMinute { get; init; }

    public long? Concurrent { get; init; }

    /// <summary>Input and output together, per calendar month (UTC).</summary>
    public long? TokensPerMonth { get; init; }

    /// <summary>Per calendar month (UTC).</summary>
    public long? NanoUsdPerMonth { get; init; }
}
