namespace TokenFactory.Inference.Ledger;

public sealed record LedgerOptions
{
    /// <summary>How long the end of an answer waits for its settlement to become durable.</summary>
    public TimeSpan SettleWithin { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Settlements kept for a store that takes none; about 2 KB each.</summary>
    public int LateSettlements { get; init; } = 10_000;

    /// <summary>How often those are offered again.</summary>
    public TimeSpan OfferLateEvery { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// For how long an admission of unknown outcome may still turn up in the store. A network may deliver what a given-up connection
    /// had sent until it stops trying, which Linux does after about two minutes.
    /// </summary>
    public TimeSpan UnknownAdmissionWithin { get; init; } = TimeSpan.FromMinutes(4);
}
