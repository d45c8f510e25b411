namespace TokenFactory.Storage.Journal;

/// <summary>
/// The group-committing writer of admissions and settlements. Entries are written in the order they were handed over; a
/// returned task completes when its entry is durable, and fails with <see cref="JournalUnavailableException"/> when it is not.
/// </summary>
public interface IJournal
{
    /// <summary>Whether new work may be accepted: false while the store fails or the queue is full.</summary>
    bool IsWritable { get; }

    Task AdmitAsync(Admission admission);

    /// <summary>
    /// Closes an admission. A second settlement of the same request changes nothing and succeeds; only what another process settled
    /// as an orphan is adjusted to it, by an event of its own.
    /// </summary>
    /// <param name="admitted">The admission's commit while it is not known to have succeeded: should the store refuse it, the settlement
    /// leaves no record either. Null when the admission is durable.</param>
    Task SettleOnceAsync(Settlement settlement, Task? admitted = null);

    /// <summary>
    /// The same for a request whose admission or settlement met a store that did not answer: nobody knows what became of them. What
    /// was never admitted stays without a record, and what was settled otherwise is adjusted.
    /// </summary>
    Task SettleLateAsync(Settlement settlement);

    /// <summary>Keeps the evidence of a request that was not let through; a second record of the same request changes nothing.</summary>
    Task RecordAsync(Denial denial);

    /// <summary>Notes a running stream's usage, without waiting; dropped (and counted) when the queue is full.</summary>
    void Note(Checkpoint checkpoint);
}
