namespace TokenFactory.Storage.Ledger;

/// <summary>A settled request as the ledger shows it.</summary>
public sealed record UsageRecord
{
    public required Guid RequestId { get; init; }

    public required string Tenant { get; init; }

    public required string Project { get; init; }

    public string? Department { get; init; }

    public string? User { get; init; }

    public required string KeyId { get; init; }

    public required string Operation { get; init; }

    public required bool Stream { get; init; }

    public required string Model { get; init; }

    public required string Deployment { get; init; }

    public required string Provider { get; init; }

    public string? Region { get; init; }

    public required Outcome Outcome { get; init; }

    public required Evidence Evidence { get; init; }

    public string? Error { get; init; }

    /// <summary>As known now: the settlement's, and an adjustment's where there was one.</summary>
    public required TokenUsage Tokens { get; init; }

    public required long CostNanoUsd { get; init; }

    public required string PriceId { get; init; }

    public required int Attempts { get; init; }

    public required DateTimeOffset AcceptedAt { get; init; }

    public required DateTimeOffset SettledAt { get; init; }

    public double? TimeToFirstTokenMs { get; init; }

    public required double DurationMs { get; init; }

    /// <summary>Whether more became known after the settlement: its tokens and cost are corrected, its outcome stays.</summary>
    public bool Adjusted { get; init; }
}
