namespace TokenFactory.Inference.ReadModel;

/// <summary>
/// How many requests a deployment may be given that failed elsewhere: a share of those it was given first, and a few each second however
/// quiet it is. Without it the failure of one deployment falls on the next at once, and takes it down too.
/// </summary>
public sealed record RetryBudget
{
    public static RetryBudget Default { get; } = new();

    /// <summary>Of the requests it is given first, above 0.</summary>
    public double Share { get; init; } = 0.2;

    public int PerSecond { get; init; } = 10;
}
