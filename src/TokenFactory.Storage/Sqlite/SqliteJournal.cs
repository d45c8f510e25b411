using Microsoft.Extensions.Logging;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Sqlite.Writer;

namespace TokenFactory.Storage.Sqlite;

/// <summary>
/// Hands entries to the one writer and refuses at once when they could not become durable: before <see cref="Open"/>, while the
/// store fails, when the queue is full. Closed requests may use the whole queue, new ones three quarters of it.
/// </summary>
internal sealed class SqliteJournal : IJournal, IAsyncDisposable, IDisposable
{
    private readonly EntryQueue _queue = new();
    private readonly JournalMetrics _metrics;
    private readonly BatchWriter _writer;
    private readonly int _capacity;
    private readonly int _capacityForNew;

    public SqliteJournal(SqliteFile file, SqliteStorageOptions options, OutboxSignal signal, TimeProvider clock, ILogger<SqliteJournal> logger)
    {
        _capacity = options.QueueCapacity;
        _capacityForNew = Math.Max(1, _capacity - (_capacity / 4));
        _metrics = new JournalMetrics(() => _queue.Depth, () => IsWritable);
        _writer = new BatchWriter(file, options, _queue, signal, _metrics, clock, logger);
    }

    public bool IsWritable => _writer.Works && _queue.Depth < _capacityForNew;

    /// <summary>Starts the writer; the schema must be there.</summary>
    /// <exception cref="StorageException">The file cannot be opened or written.</exception>
    public void Open() => _writer.Start();

    public Task AdmitAsync(Admission admission) => Hand(new AdmissionEntry(admission), _capacityForNew);

    public Task SettleOnceAsync(Settlement settlement) => Hand(new SettlementEntry(settlement), _capacity);

    public void Note(Checkpoint checkpoint)
    {
        if (!_writer.Works || !_queue.TryAdd(new CheckpointEntry(checkpoint), _capacityForNew))
        {
            _metrics.CheckpointDropped();
        }
    }

    /// <summary>Writes in the journal's own transactions, so that nothing else in this process competes for the file.</summary>
    public Task WriteAsync(Action<SqliteSession> work) => Hand(new WorkEntry(work), _capacity);

    /// <summary>Writes what was handed over, then closes. Safe to call twice.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Close();
        await _writer.Finished;
        _metrics.Dispose();
    }

    /// <summary>For a container that is disposed of without awaiting.</summary>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    private Task Hand(Entry entry, int limit)
    {
        if (!_writer.Works)
        {
            _metrics.Refused();
            return Task.FromException(new JournalUnavailableException("The journal cannot write to its store; nothing is accepted until it can."));
        }

        if (!_queue.TryAdd(entry, limit))
        {
            _metrics.Refused();
            return Task.FromException(new JournalUnavailableException("The journal's queue is full or closed."));
        }

        return entry.Task;
    }
}
