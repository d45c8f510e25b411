using Microsoft.Extensions.Logging;

namespace TokenFactory.Storage.Journal.Writer;

/// <summary>
/// The one thread that writes: takes everything that waits, writes it in one transaction, tells the waiters. The commit in
/// progress is the window in which the next batch forms, so an idle gateway pays one commit and a busy one shares it.
/// When the store fails, all that waits fails with it, and nothing is taken until a real write has succeeded again.
/// </summary>
internal sealed partial class BatchWriter(
    IBatchStore store, int batchSize, EntryQueue queue, Outbox.OutboxSignal signal, JournalMetrics metrics, TimeProvider clock, ILogger logger)
{
    // Entries of one batch from which on commits are worth sharing: what a handful of concurrent requests hands over.
    private const int BusyEntries = 8;

    private static readonly TimeSpan _moment = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan _firstProbe = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _lastProbe = TimeSpan.FromSeconds(5);

    private readonly List<Entry> _batch = new(batchSize);
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _works;
    private TimeSpan _pause;
    private long _brokenAt;
    private bool _isBusy;
    private bool _started;

    public bool Works => _works;

    public Task Finished => _started ? _finished.Task : Task.CompletedTask;

    /// <summary>
    /// Starts the thread, which opens the store: opening blocks, and would wait for ever where the caller's thread is the one that
    /// brings the answer (a socket's own event thread).
    /// </summary>
    /// <exception cref="StorageException">The store cannot be opened or written.</exception>
    public Task StartAsync()
    {
        _started = true;
        new Thread(Run) { Name = "journal", IsBackground = true }.Start();
        return _opened.Task;
    }

    private void Run()
    {
        if (TryOpen())
        {
            while (Turn(Timeout.InfiniteTimeSpan))
            {
            }
        }

        _works = false;
        store.Dispose();
        _finished.SetResult();
    }

    /// <returns>False when the store cannot be opened; <see cref="StartAsync"/>'s caller is told why.</returns>
    internal bool TryOpen()
    {
        try
        {
            store.Open();
        }
        catch (Exception cause)
        {
            _opened.SetException(cause);
            return false;
        }

        _works = true;
        _opened.SetResult();
        return true;
    }

    /// <summary>One turn of the thread: writes what waits; while the store fails, fails what waits and probes when it is time.</summary>
    /// <param name="patience">How long to wait for something to do, at most.</param>
    /// <returns>False when the journal is closed and nothing is left to do.</returns>
    internal bool Turn(TimeSpan patience)
    {
        _batch.Clear();
        return _works ? Write(patience) : Heal(patience);
    }

    private bool Write(TimeSpan patience)
    {
        if (!queue.Take(_batch, batchSize, patience))
        {
            return false;
        }

        if (_batch.Count == 0)
        {
            return true;
        }

        if (_isBusy && _batch.Count < batchSize && store.Gathers)
        {
            // Many callers are waiting: a commit costs the same for all of them, so the next ones are let in as well. A
            // lone request never waits here.
            queue.Gather(batchSize - _batch.Count, _moment);
            queue.Take(_batch, batchSize, TimeSpan.Zero);
        }

        _isBusy = _batch.Count >= BusyEntries;
        var started = clock.GetTimestamp();
        try
        {
            store.Write(_batch);
            metrics.Committed(_batch.Count, clock.GetElapsedTime(started));
            Answer();
        }
        catch (Exception cause)
        {
            // Whatever it was, the batch is not known to be durable: fail it, start over on a new connection.
            Break(cause);
        }

        return true;
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
        Log.Broken(logger, _batch.Count, cause.Message, cause);
        FailAll(cause.Message, cause);
        store.Close();
        PauseFor(_firstProbe);
    }

    /// <summary>Probes with a real write when it is time; until then it fails at once what slipped in.</summary>
    private bool Heal(TimeSpan patience)
    {
        var left = _pause - clock.GetElapsedTime(_brokenAt);
        if (left > TimeSpan.Zero)
        {
            var open = queue.Take(_batch, batchSize, patience == Timeout.InfiniteTimeSpan || patience > left ? left : patience);
            FailAll("The journal cannot write to its store.", null);
            return open;
        }

        // Also after a long sleep: a settlement that waits here must not be written when its admission has just failed.
        while (queue.Depth > 0)
        {
            _batch.Clear();
            queue.Take(_batch, batchSize, TimeSpan.Zero);
            FailAll("The journal cannot write to its store.", null);
        }

        try
        {
            store.Open();
            _works = true;
            Log.Healed(logger);
        }
        catch (StorageException cause)
        {
            Log.StillBroken(logger, cause.Message);
            PauseFor(_pause * 2 < _lastProbe ? _pause * 2 : _lastProbe);
        }

        return true;
    }

    private void PauseFor(TimeSpan pause) => (_pause, _brokenAt) = (pause, clock.GetTimestamp());

    private void FailAll(string message, Exception? cause) => _batch.ForEach(entry => entry.Fail(message, cause));

    private static partial class Log
    {
        [LoggerMessage(11001, LogLevel.Critical, "The journal failed to commit {Entries} entries and accepts nothing until a write succeeds again: {Reason}")]
        public static partial void Broken(ILogger logger, int entries, string reason, Exception cause);

        [LoggerMessage(11002, LogLevel.Error, "The journal still cannot write: {Reason}")]
        public static partial void StillBroken(ILogger logger, string reason);

        [LoggerMessage(11003, LogLevel.Warning, "The journal writes again")]
        public static partial void Healed(ILogger logger);
    }
}
