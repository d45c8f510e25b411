using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Administration.Configuration.Reading;

/// <summary>The <c>limits</c> and <c>budgets</c> of one subject.</summary>
internal static class Limits
{
    public const long MaxRequestsPerMinute = 10_000_000;
    public const long MaxTokens = 1_000_000_000;
    public const long MaxConcurrent = 1_000_000;

    // Above it a budget is a typing mistake, and sums of nano-USD would leave 64 bits.
    public const long MaxTokensPerMonth = 1_000_000_000_000_000;

    public static LimitSet Read(Section owner, bool withBudgets = true)
    {
        var limits = owner["limits"].SectionOrEmpty();
        var set = new LimitSet
        {
            RequestsPerMinute = limits["requests_per_minute"].Whole(1, MaxRequestsPerMinute),
            TokensPerMinute = limits["tokens_per_minute"].Whole(1, MaxTokens),
            Concurrent = limits["concurrent"].Whole(1, MaxConcurrent),
        };
        limits.RefuseUnknownKeys();
        if (!withBudgets)
        {
            return set;
        }

        var budgets = owner["budgets"].SectionOrEmpty();
        set = set with
        {
            TokensPerMonth = budgets["tokens_per_month"].Whole(1, MaxTokensPerMonth),
            NanoUsdPerMonth = budgets["usd_per_month"].NanoUsd(),
        };
        if (set.NanoUsdPerMonth == 0)
        {
            budgets["usd_per_month"].Mistake("write more than 0: a budget of nothing refuses everything");
        }

        budgets.RefuseUnknownKeys();
        return set;
    }
}
