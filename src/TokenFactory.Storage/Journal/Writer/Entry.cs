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

internal sealed class SettlementEntry(Settlement settlement, Task? admitted) : Entry
{
    public Settlement Settlement => settlement;

    /// <summary>Whose admission nobody knows the fate of; and what stands of it already was told to nobody.</summary>
    public bool IsLate { get; init; }

    /// <summary>Whether it counts only if the store has its admission. It answers the same for as long as a batch is written: the
    /// writer itself completes the admission's task, after its batch.</summary>
    public bool NeedsAdmission => IsLate || admitted is { IsCompletedSuccessfully: false };
}

internal sealed class DenialEntry(Denial denial) : Entry
{
    public Denial Denial => denial;
}

internal sealed class CheckpointEntry(Checkpoint checkpoint) : Entry
{
    public Checkpoint Checkpoint => checkpoint;

    /// <summary>Nobody waits for a checkpoint: a faulted task would only be an unobserved one.</summary>
    public override void Fail(string message, Exception? cause) => TrySetCanceled();
}
