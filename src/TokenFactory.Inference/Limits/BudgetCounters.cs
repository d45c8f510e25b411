using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference.Limits;

/// <summary>Rebuilds the counters of the budgets in force from the ledger, which is the truth of what was spent.</summary>
public sealed class BudgetCounters(ILimiter limiter, SnapshotStore snapshots)
{
    /// <summary>Meant for the start, before the first request.</summary>
    public async Task LoadAsync(IEnumerable<BudgetSpend> monthToDate, DateTimeOffset month, CancellationToken cancel)
    {
        var sums = new BudgetSums(monthToDate);
        foreach (var (tenant, bucket) in BudgetsInForce())
        {
            await limiter.LoadAsync(tenant, bucket, sums.Of(tenant, bucket), month, cancel);
        }
    }

    private HashSet<(string Tenant, Bucket Bucket)> BudgetsInForce() =>
    [
        // Not the buckets a key's requests take from: those are kept per key, and most of a large read model's keys never call.
        .. from secret in snapshots.Current?.Keys.Secrets ?? []
           let key = secret.Key
           from subject in Buckets.SubjectsOf(key)
           where subject.Limits is { TokensPerMonth: not null } or { NanoUsdPerMonth: not null }
           from bucket in Buckets.Of(subject.Name, subject.Limits)
           where bucket.Dimension is Dimension.TokensPerMonth or Dimension.NanoUsdPerMonth
           select (key.Tenant.Name, bucket),
    ];
}
