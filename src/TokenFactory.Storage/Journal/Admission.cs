namespace TokenFactory.Storage.Journal;

/// <summary>
/// The durable row written when a request is accepted. Append-only; its settlement is a row of its own. When its process is gone,
/// another settles what it left open.
/// </summary>
public sealed record Admission : RequestFacts
{
    /// <summary>The first candidate of the plan; a failover is told by the settlement.</summary>
    public required Placement Placement { get; init; }

    /// <summary>Input tokens, counted if the limits needed the count, else bytes of text over four. Charged for an orphan.</summary>
    public required long EstimatedInputTokens { get; init; }

    public required DateTimeOffset AcceptedAt { get; init; }
}
