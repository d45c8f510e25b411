namespace TokenFactory.Inference.Ledger;

public sealed record LedgerOptions
{
    /// <summary>How long the end of an answer waits for its settlement to become durable.</summary>
    public TimeSpan SettleWithin { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Between a stream's error event and the abort of its connection, so that the event is read first.</summary>
    public TimeSpan AbortPause { get; init; } = TimeSpan.FromMilliseconds(50);
}
