namespace TokenFactory.Storage.Journal.Writer;

/// <summary>Something to be written, and its waiter's task in one object.</summary>
internal abstract class Entry() : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
{
    /// <summary>Why this entry alone could not be written while its batch was.</summary>
    public Exception? Fault { get; set; }

    public virtual void Fail(string message, Exception? cause) =>
        TrySetException(cause is null ? new JournalUnavailableException(message) : new JournalUnavailableException(message, cause));
}

internal sealed class AdmissionEntry(Admission admission) : Entry
{
    public Admission Admission => admission;
}

internal sealed class SettlementEntry(Settlement settlement, bool isLate) : Entry
{
    public Settlement Settlement => settlement;

    /// <summary>Only if it was admitted; and what stands of it already was told to nobody.</summary>
    public bool IsLate => isLate;
}

internal sealed class CheckpointEntry(Checkpoint checkpoint) : Entry
{
    public Checkpoint Checkpoint => checkpoint;

    /// <summary>Nobody waits for a checkpoint: a faulted task would only be an unobserved one.</summary>
    public override void Fail(string message, Exception? cause) => TrySetCanceled();
}
