namespace TokenFactory.Storage.Journal;

/// <summary>A candidate that was passed over without being asked.</summary>
/// <param name="Reason">One of the constants here.</param>
public sealed record Skip(string Deployment, string Reason)
{
    /// <summary>It had said that its quota is spent.</summary>
    public const string QuotaSpent = "quota_spent";

    /// <summary>It had said that it is overloaded, and for how long.</summary>
    public const string Overloaded = "overloaded";

    /// <summary>It kept failing.</summary>
    public const string CircuitOpen = "circuit_open";

    /// <summary>Its answers were of no use: empty, refused for policy's sake, or not of the form that was asked for.</summary>
    public const string LowQuality = "low_quality";

    /// <summary>It was given as many requests that failed elsewhere as it may be.</summary>
    public const string RetryBudgetSpent = "retry_budget_spent";

    /// <summary>It speaks another dialect, which has no words for a part of the request.</summary>
    public const string Inexpressible = "inexpressible";
}
