namespace TokenFactory.Storage.Journal;

/// <summary>The durable row written when a request is accepted. Append-only; its settlement is a row of its own.</summary>
public sealed record Admission
{
    /// <summary>The gateway-made UUIDv7 that is also the response's <c>x-request-id</c> and the usage event's id.</summary>
    public required Guid RequestId { get; init; }

    /// <summary>The process that accepted it; when that process is gone, another settles what it left open.</summary>
    public required Guid InstanceId { get; init; }

    public required string Tenant { get; init; }

    public required string Project { get; init; }

    public string? Department { get; init; }

    public string? User { get; init; }

    public required string KeyId { get; init; }

    public string? Tier { get; init; }

    public string? UseCase { get; init; }

    /// <summary><c>chat</c>, <c>completions</c> or <c>embeddings</c>.</summary>
    public required string Operation { get; init; }

    public required bool Stream { get; init; }

    /// <summary>The public name the caller asked for.</summary>
    public required string Model { get; init; }

    /// <summary>The first candidate of the plan; a failover is told by the settlement.</summary>
    public required Placement Placement { get; init; }

    public string? PolicyDecisionId { get; init; }

    /// <summary>Input tokens, counted if the limits needed the count, else bytes of text over four. Charged for an orphan.</summary>
    public required long EstimatedInputTokens { get; init; }

    public required DateTimeOffset AcceptedAt { get; init; }
}
