using TokenFactory.Storage.Journal;

namespace TokenFactory.Storage.Sqlite.Writer;

/// <summary>Something to be written, and its waiter's task in one object.</summary>
internal abstract class Entry() : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
{
    /// <summary>Why this entry alone could not be written while its batch was.</summary>
    public Exception? Fault { get; set; }

    /// <summary>Runs on the writer's thread, inside its transaction; possibly a second time, after a rollback.</summary>
    public abstract void Write(SqliteSession session);

    public virtual void Fail(string message, Exception? cause) =>
        TrySetException(cause is null ? new JournalUnavailableException(message) : new JournalUnavailableException(message, cause));
}

internal sealed class AdmissionEntry(Admission admission) : Entry
{
    public override void Write(SqliteSession session) => session.Admissions.Insert(admission);
}

internal sealed class SettlementEntry(Settlement settlement) : Entry
{
    public override void Write(SqliteSession session)
    {
        if (session.Settlements.InsertOnce(settlement))
        {
            session.Outbox.Append(settlement);
            session.Checkpoints.Forget(settlement.Admission.RequestId);
        }
    }
}

internal sealed class CheckpointEntry(Checkpoint checkpoint) : Entry
{
    public override void Write(SqliteSession session) => session.Checkpoints.Upsert(checkpoint);

    /// <summary>Nobody waits for a checkpoint: a faulted task would only be an unobserved one.</summary>
    public override void Fail(string message, Exception? cause) => TrySetCanceled();
}

/// <summary>Rare writes that must not compete with the writer for the file: cursors, dead letters, retention.</summary>
internal sealed class WorkEntry(Action<SqliteSession> work) : Entry
{
    public override void Write(SqliteSession session) => work(session);
}
