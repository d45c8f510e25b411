using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Requests;

/// <summary>An admitted request as the store knows it now: from its admission while it runs, from its settlement when it has ended.</summary>
public sealed record RequestRecord
{
    public required Guid RequestId { get; init; }

    public required string Tenant { get; init; }

    public required string Project { get; init; }

    public string? User { get; init; }

    public required string KeyId { get; init; }

    public string? Tier { get; init; }

    public string? UseCase { get; init; }

    public required string Operation { get; init; }

    public required bool Stream { get; init; }

    public required string Model { get; init; }

    /// <summary>Where it runs as far as is known, or where it ran.</summary>
    public required string Deployment { get; init; }

    public required string Provider { get; init; }

    public string? Region { get; init; }

    public required string UpstreamModel { get; init; }

    public string? UpstreamVersion { get; init; }

    public required string PriceId { get; init; }

    /// <summary>The first candidate of its plan.</summary>
    public required string FirstDeployment { get; init; }

    public string? PolicyDecisionId { get; init; }

    /// <summary>What the policy decided, a JSON object (docs/api/audit-record.schema.json); null where it was not asked.</summary>
    public string? Policy { get; init; }

    public required DateTimeOffset AcceptedAt { get; init; }

    /// <summary>Since when somebody wants it stopped; of a request that runs.</summary>
    public DateTimeOffset? CancelRequestedAt { get; init; }

    /// <summary>How it ended; null while it runs.</summary>
    public Outcome? Outcome { get; init; }

    public string? Error { get; init; }

    public DateTimeOffset? SettledAt { get; init; }

    public double? TimeToFirstTokenMs { get; init; }

    public double? DurationMs { get; init; }

    /// <summary>Tries made; null while it runs.</summary>
    public int? AttemptsMade { get; init; }

    /// <summary>Of one request alone, and when it has ended; pages leave them out.</summary>
    public IReadOnlyList<Attempt> Attempts { get; init; } = [];

    /// <summary>What its tokens rest on; null while nothing is known of them.</summary>
    public Evidence? Evidence { get; init; }

    /// <summary>So far, or in the end, an adjustment included.</summary>
    public TokenUsage Tokens { get; init; }

    public long CostNanoUsd { get; init; }

    /// <summary>When a running request's tokens were noted.</summary>
    public DateTimeOffset? NotedAt { get; init; }

    /// <summary>Whether more became known after the settlement.</summary>
    public bool Adjusted { get; init; }
}

/// <summary>Which requests to look at, by whether they have ended.</summary>
public enum RequestStates
{
    All = 0,
    Running = 1,
    Ended = 2,
}

/// <summary>One page of requests, newest first.</summary>
/// <param name="Next">The cursor of the next page; null on the last.</param>
public sealed record RequestPage(IReadOnlyList<RequestRecord> Records, string? Next);
