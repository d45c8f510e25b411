using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Journal;

/// <summary>The single closing of an admission, with usage and evidence. Its transaction also holds its audit record, which tells its attempts, and the outbox row.</summary>
public sealed record Settlement
{
    public required Admission Admission { get; init; }

    /// <summary>Where it really ran; the admission's own placement when it never left.</summary>
    public required Placement Placement { get; init; }

    public required Outcome Outcome { get; init; }

    public required Evidence Evidence { get; init; }

    public required TokenUsage Tokens { get; init; }

    /// <summary>The code of the gateway's closed error list the caller was told; null when completed.</summary>
    public string? Error { get; init; }

    public required IReadOnlyList<Attempt> Attempts { get; init; }

    /// <summary>Candidates that were not asked, in the order they were passed over.</summary>
    public IReadOnlyList<Skip> Skipped { get; init; } = [];

    public required DateTimeOffset SettledAt { get; init; }

    public TimeSpan? TimeToFirstToken { get; init; }

    public required TimeSpan Duration { get; init; }

    public long CostNanoUsd => Placement.Price.CostNanoUsd(Tokens);
}
