using Microsoft.Extensions.Logging;
using TokenFactory.Storage.Journal.Writer;

namespace TokenFactory.Storage.Sqlite.Writer;

/// <summary>Writes the journal's batches into the file, each in one transaction of the writer's own connection.</summary>
internal sealed partial class SqliteBatches(SqliteFile file, SqliteStorageOptions options, TimeProvider clock, ILogger logger) : IBatchStore
{
    private SqliteSession? _session;

    public bool Gathers => true;

    public void Open()
    {
        Close();
        SqliteSession? session = null;
        try
        {
            session = new SqliteSession(file, options, clock);
            using var mark = session.Connection.Prepare(
                "INSERT INTO instances (instance_id, started_at, heartbeat_at) VALUES (?1,?2,?2) ON CONFLICT (instance_id) DO UPDATE SET heartbeat_at = ?2, closed_at = NULL");
            mark.Row().Bind(options.InstanceId).Bind(clock.GetUtcNow()).Run();
            _session = session;
        }
        catch (SqliteFailure cause)
        {
            throw new StorageException(file.Explain(cause.Code, cause.Message), cause);
        }
        finally
        {
            if (_session is null)
            {
                session?.Dispose();
            }
        }
    }

    public void Write(IReadOnlyList<Entry> batch)
    {
        try
        {
            WriteTogether(_session!, batch);
        }
        catch (SqliteFailure cause)
        {
            throw new StorageException(file.Explain(cause.Code, cause.Message), cause);
        }
    }

    /// <summary>Closing rolls back, whatever state the transaction is in.</summary>
    public void Close()
    {
        _session?.Dispose();
        _session = null;
    }

    public void Dispose() => Close();

    private void WriteTogether(SqliteSession session, IReadOnlyList<Entry> batch)
    {
        session.Begin();
        try
        {
            for (var index = 0; index < batch.Count; index++)
            {
                session.Write(batch[index]);
            }
        }
        catch (Exception cause) when (IsTheEntrys(cause))
        {
            session.Rollback();
            session.Begin();
            WriteEachAlone(session, batch);
        }

        session.Commit();
    }

    /// <summary>One entry was refused for what it is. It must not take the others with it, so each gets its own savepoint.</summary>
    private void WriteEachAlone(SqliteSession session, IReadOnlyList<Entry> batch)
    {
        foreach (var entry in batch)
        {
            session.Connection.Execute("SAVEPOINT entry");
            try
            {
                session.Write(entry);
            }
            catch (Exception cause) when (IsTheEntrys(cause))
            {
                Log.EntryRefused(logger, entry.GetType().Name, cause);
                entry.Fault = cause;
                session.Connection.Execute("ROLLBACK TO entry");
            }

            session.Connection.Execute("RELEASE entry");
        }
    }

    /// <summary>A bug in an entry counts as the entry's too; only the store's own failures stop the journal.</summary>
    private static bool IsTheEntrys(Exception cause) => cause is not SqliteFailure failure || failure.IsTheRows;

    private static partial class Log
    {
        [LoggerMessage(11004, LogLevel.Error, "The store refused one {Entry}; the rest of its batch was written")]
        public static partial void EntryRefused(ILogger logger, string entry, Exception cause);
    }
}
