using TokenFactory.Storage.Ledger;

namespace TokenFactory.Administration.Tests.Usage;

/// <summary>Answers one fixed row, and remembers what it was asked.</summary>
internal sealed class RecordingLedger : IUsageLedger
{
    private static readonly TokenUsage _tokens = new(812, 200, 0, 64, 0);

    public List<UsageFilter> Asked { get; } = [];

    public UsageGrouping GroupedBy { get; private set; }

    public Task<IReadOnlyList<UsageTotal>> SummariseAsync(UsageFilter filter, UsageGrouping by, CancellationToken cancel)
    {
        Asked.Add(filter);
        GroupedBy = by;
        return Task.FromResult<IReadOnlyList<UsageTotal>>([new UsageTotal(new DateOnly(2026, 11, 20), "gpt-4o-mini", null, null, 1, _tokens, 175_200)]);
    }

    public Task<UsagePage> PageAsync(UsageFilter filter, string? cursor, int limit, CancellationToken cancel)
    {
        Asked.Add(filter);
        if (cursor == "bad")
        {
            throw new FormatException("forged");
        }

        var at = new DateTimeOffset(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);
        var record = new UsageRecord
        {
            RequestId = new Guid(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
            Tenant = filter.Tenant!,
            Project = filter.Project!,
            KeyId = "abcdefgh",
            Operation = "chat",
            Stream = true,
            Model = "gpt-4o-mini",
            Deployment = "llama-eu",
            Provider = "gpu-eu",
            Outcome = filter.Outcome ?? Outcome.Completed,
            Evidence = Evidence.Reported,
            Tokens = _tokens,
            CostNanoUsd = 175_200,
            PriceId = "p",
            Attempts = 1,
            AcceptedAt = at,
            SettledAt = at,
            DurationMs = 1,
        };
        return Task.FromResult(new UsagePage([record], "cursor"));
    }

    public Task<IReadOnlyList<BudgetSpend>> SpendSinceAsync(DateTimeOffset from, CancellationToken cancel) =>
        throw new NotSupportedException("usage endpoints rebuild no budgets");
}
