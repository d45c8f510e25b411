using Microsoft.Extensions.Logging;

namespace TokenFactory.Storage.Sqlite.Writer;

/// <summary>
/// The one thread that writes: takes everything that waits, writes it in one transaction, tells the waiters. The commit in
/// progress is the window in which the next batch forms, so an idle gateway pays one commit and a busy one shares it.
/// When the store fails, all that waits fails with it, and nothing is taken until a real write has succeeded again.
/// </summary>
internal sealed partial class BatchWriter(
    SqliteFile file, SqliteStorageOptions options, EntryQueue queue, Outbox.OutboxSignal signal, JournalMetrics metrics, TimeProvider clock, ILogger logger)
{
    // Entries of one batch from which on commits are worth sharing: what a handful of concurrent requests hands over.
    private const int BusyEntries = 8;

    private static readonly TimeSpan _moment = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan _firstProbe = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _lastProbe = TimeSpan.FromSeconds(5);

    private readonly List<Entry> _batch = new(options.BatchSize);
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SqliteSession? _session;
    private volatile bool _works;
    private bool _isBusy;
    private bool _started;

    public bool Works => _works;

    public Task Finished => _started ? _finished.Task : Task.CompletedTask;

    public void Start()
    {
        try
        {
            Probe();
        }
        catch (SqliteFailure cause)
        {
            throw new StorageException(file.Explain(cause.Code, cause.Message), cause);
        }

        _works = true;
        _started = true;
        new Thread(Run) { Name = "journal", IsBackground = true }.Start();
    }

    private void Run()
    {
        while (queue.Take(_batch, options.BatchSize, Timeout.InfiniteTimeSpan))
        {
            if (_isBusy && _batch.Count < options.BatchSize)
            {
                // Many callers are waiting: a commit costs the same for all of them, so the next ones are let in as well. A
                // lone request never waits here.
                queue.Gather(options.BatchSize - _batch.Count, _moment);
                queue.Take(_batch, options.BatchSize, TimeSpan.Zero);
            }

            _isBusy = _batch.Count >= BusyEntries;
            var started = clock.GetTimestamp();
            try
            {
                Write();
                metrics.Committed(_batch.Count, clock.GetElapsedTime(started));
                Answer();
            }
            catch (Exception cause)
            {
                // Whatever it was, the batch is not known to be durable: fail it, start over on a new connection.
                Break(cause);
                if (!Heal())
                {
                    break;
                }
            }

            _batch.Clear();
        }

        _works = false;
        _session?.Dispose();
        _finished.SetResult();
    }

    private void Write()
    {
        var session = _session!;
        session.Begin();
        try
        {
            foreach (var entry in _batch)
            {
                entry.Write(session);
            }
        }
        catch (Exception cause) when (IsTheEntrys(cause))
        {
            session.Rollback();
            session.Begin();
            WriteEachAlone(session);
        }

        session.Commit();
    }

    /// <summary>One entry was refused for what it is. It must not take the others with it, so each gets its own savepoint.</summary>
    private void WriteEachAlone(SqliteSession session)
    {
        foreach (var entry in _batch)
        {
            session.Connection.Execute("SAVEPOINT entry");
            try
            {
                entry.Write(session);
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

    private void Answer()
    {
        foreach (var entry in _batch)
        {
            if (entry.Fault is { } fault)
            {
                entry.Fail("The entry was refused by the store.", fault);
            }
            else
            {
                entry.TrySetResult();
            }
        }

        signal.Raise();
    }

    private void Break(Exception cause)
    {
        _works = false;
        metrics.Failed();
        var reason = cause is SqliteFailure failure ? file.Explain(failure.Code, failure.Message) : cause.Message;
        Log.Broken(logger, _batch.Count, reason, cause);
        FailAll(reason, cause);

        // Closing rolls back, whatever state the transaction is in.
        _session?.Dispose();
        _session = null;
    }

    /// <summary>Probes until a real write succeeds, failing at once what slipped in meanwhile.</summary>
    /// <returns>False when the journal was closed first.</returns>
    private bool Heal()
    {
        for (var pause = _firstProbe; ; pause = pause * 2 < _lastProbe ? pause * 2 : _lastProbe)
        {
            var since = clock.GetTimestamp();
            for (var left = pause; left > TimeSpan.Zero; left = pause - clock.GetElapsedTime(since))
            {
                _batch.Clear();
                if (!queue.Take(_batch, options.BatchSize, left))
                {
                    return false;
                }

                FailAll("The journal cannot write to its store.", null);
            }

            try
            {
                Probe();
                _works = true;
                Log.Healed(logger);
                return true;
            }
            catch (SqliteFailure cause)
            {
                Log.StillBroken(logger, file.Explain(cause.Code, cause.Message));
            }
        }
    }

    /// <summary>Opens a session and writes: only a commit that succeeded proves that the next one may.</summary>
    private void Probe()
    {
        _session?.Dispose();
        _session = null;
        var session = new SqliteSession(file, clock);
        try
        {
            using var mark = session.Connection.Prepare(
                "INSERT INTO instances (instance_id, started_at, heartbeat_at) VALUES (?1,?2,?2) ON CONFLICT (instance_id) DO UPDATE SET heartbeat_at = ?2, closed_at = NULL");
            mark.Row().Bind(options.InstanceId).Bind(clock.GetUtcNow()).Run();
            _session = session;
        }
        finally
        {
            if (_session is null)
            {
                session.Dispose();
            }
        }
    }

    private void FailAll(string message, Exception? cause) => _batch.ForEach(entry => entry.Fail(message, cause));

    /// <summary>A bug in an entry counts as the entry's too; only the store's own failures stop the journal.</summary>
    private static bool IsTheEntrys(Exception cause) => cause is not SqliteFailure failure || failure.IsTheRows;

    private static partial class Log
    {
        [LoggerMessage(11001, LogLevel.Critical, "The journal failed to commit {Entries} entries and accepts nothing until a write succeeds again: {Reason}")]
        public static partial void Broken(ILogger logger, int entries, string reason, Exception cause);

        [LoggerMessage(11002, LogLevel.Error, "The journal still cannot write: {Reason}")]
        public static partial void StillBroken(ILogger logger, string reason);

        [LoggerMessage(11003, LogLevel.Warning, "The journal writes again")]
        public static partial void Healed(ILogger logger);

        [LoggerMessage(11004, LogLevel.Error, "The store refused one {Entry}; the rest of its batch was written")]
        public static partial void EntryRefused(ILogger logger, string entry, Exception cause);
    }
}
