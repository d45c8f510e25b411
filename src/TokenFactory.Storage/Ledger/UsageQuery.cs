namespace TokenFactory.Storage.Ledger;

/// <summary>Which settlements to look at. A tenant is always named: there is no query over all of them by accident.</summary>
public sealed record UsageFilter
{
    /// <summary>Null only for the operator's own command line.</summary>
    public required string? Tenant { get; init; }

    public string? Project { get; init; }

    public string? KeyId { get; init; }

    public string? User { get; init; }

    public string? Model { get; init; }

    public Outcome? Outcome { get; init; }

    /// <summary>By acceptance, inclusive.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>By acceptance, exclusive.</summary>
    public DateTimeOffset? Until { get; init; }
}

[Flags]
public enum UsageGrouping
{
    None = 0,
    Day = 1,
    Model = 2,
    Key = 4,
    Project = 8,
}

/// <summary>A group's totals; the members that were not grouped by are null.</summary>
public sealed record UsageTotal(DateOnly? Day, string? Model, string? KeyId, string? Project, long Requests, TokenUsage Tokens, long CostNanoUsd);

/// <summary>One page of settlements, newest first.</summary>
/// <param name="Next">The cursor of the next page; null on the last.</param>
public sealed record UsagePage(IReadOnlyList<UsageRecord> Records, string? Next);

/// <summary>What the budgets of this period have spent, for rebuilding their counters.</summary>
public sealed record BudgetSpend(string Tenant, string Project, string? User, string KeyId, long Tokens, long CostNanoUsd);
