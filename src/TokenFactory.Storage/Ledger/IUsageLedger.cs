namespace TokenFactory.Storage.Ledger;

/// <summary>Reads settlements: the one ledger behind every view of usage.</summary>
public interface IUsageLedger
{
    Task<IReadOnlyList<UsageTotal>> SummariseAsync(UsageFilter filter, UsageGrouping by, CancellationToken cancel);

    /// <param name="cursor">The <see cref="UsagePage.Next"/> of the page before; null for the first. A forged one throws <see cref="FormatException"/>.</param>
    Task<UsagePage> PageAsync(UsageFilter filter, string? cursor, int limit, CancellationToken cancel);

    /// <summary>Spend since <paramref name="from"/> (by settlement), for the budgets' counters.</summary>
    Task<IReadOnlyList<BudgetSpend>> SpendSinceAsync(DateTimeOffset from, CancellationToken cancel);
}
