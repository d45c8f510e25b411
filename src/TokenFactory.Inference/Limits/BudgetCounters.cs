using TokenFactory.Inference.Limits.Local;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference.Limits;

/// <summary>Rebuilds the counters of the budgets in force from the ledger, which is the truth of what was spent.</summary>
public sealed class BudgetCounters(LocalLimiter limiter, SnapshotStore snapshots)
{
    /// <summary>Meant for the start, before the first request.</summary>
    public void Load(IEnumerable<BudgetSpend> monthToDate)
    {
        var spent = new Dictionary<(string Tenant, string Subject), (long Tokens, long NanoUsd)>();
        foreach (var spend in monthToDate)
        {
            Add("tenant");
            Add("project:" + spend.Project);
            Add("key:" + spend.KeyId);
            if (spend.User is { } user)
            {
                Add("user:" + user);
            }

            void Add(string subject)
            {
                var before = spent.GetValueOrDefault((spend.Tenant, subject));
                spent[(spend.Tenant, subject)] = (before.Tokens + spend.Tokens, before.NanoUsd + spend.CostNanoUsd);
            }
        }

        foreach (var (tenant, bucket) in BudgetsInForce())
        {
            // A tier's budget is counted over its tenant.
            var subject = bucket.Subject.StartsWith("tier:", StringComparison.Ordinal) ? "tenant" : bucket.Subject;
            if (spent.TryGetValue((tenant, subject), out var sum))
            {
                limiter.Load(tenant, bucket, bucket.Dimension == Dimension.TokensPerMonth ? sum.Tokens : sum.NanoUsd);
            }
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
