using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference.Limits;

/// <summary>What every budget's subject has spent, summed from the ledger's settlements.</summary>
public sealed class BudgetSums
{
    private readonly Dictionary<(string Tenant, string Subject), (long Tokens, long NanoUsd)> _spent = [];

    public BudgetSums(IEnumerable<BudgetSpend> monthToDate)
    {
        foreach (var spend in monthToDate)
        {
            Add(spend, "tenant");
            Add(spend, "project:" + spend.Project);
            Add(spend, "key:" + spend.KeyId);
            if (spend.User is { } user)
            {
                Add(spend, "user:" + user);
            }
        }
    }

    /// <summary>Zero for a subject that the ledger does not know.</summary>
    public long Of(string tenant, in Bucket bucket)
    {
        // A tier's budget is counted over its tenant.
        var subject = bucket.Subject.StartsWith("tier:", StringComparison.Ordinal) ? "tenant" : bucket.Subject;
        var (tokens, nanoUsd) = _spent.GetValueOrDefault((tenant, subject));
        return bucket.Dimension == Dimension.TokensPerMonth ? tokens : nanoUsd;
    }

    private void Add(BudgetSpend spend, string subject)
    {
        var (tokens, nanoUsd) = _spent.GetValueOrDefault((spend.Tenant, subject));
        _spent[(spend.Tenant, subject)] = (tokens + spend.Tokens, nanoUsd + spend.CostNanoUsd);
    }
}
