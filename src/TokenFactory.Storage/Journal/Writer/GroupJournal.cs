namespace TokenFactory.Storage.Journal.Writer;

/// <summary>
/// Hands entries to the one writer and refuses at once when they could not become durable: before <see cref="OpenAsync"/>, while the
/// store fails, when the queue is full. Closed requests may use the whole queue, new ones three quarters of it.
/// </summary>
internal abstract class GroupJournal : IJournal, IAsyncDisposable, IDisposable
{
    private readonly EntryQueue _queue = new();
    private readonly JournalMetrics _metrics;
    private readonly BatchWriter _writer;
    private readonly int _capacity;
    private readonly int _capacityForNew;

    protected GroupJournal(IBatchStore store, int queueCapacity, int batchSize, Outbox.OutboxSignal signal, TimeProvider clock, Microsoft.Extensions.Logging.ILogger logger)
    {
        _capacity = queueCapacity;
        _capacityForNew = Math.Max(1, _capacity - (_capacity / 4));
        _metrics = new JournalMetrics(() => _queue.Depth, () => IsWritable);
        _writer = new BatchWriter(store, batchSize, _queue, signal, _metrics, clock, logger);
    }

    public bool IsWritable => _writer.Works && _queue.Depth < _capacityForNew;

    protected BatchWriter Writer => _writer;

    /// <summary>Starts the writer, done when it can write; the schema must be there.</summary>
    /// <exception cref="StorageException">The store cannot be opened or written.</exception>
    public Task OpenAsync() => _writer.StartAsync();

    public Task AdmitAsync(Admission admission) => Hand(new AdmissionEntry(admission), _capacityForNew);

    public Task SettleOnceAsync(Settlement settlement, Task? admitted = null) => Hand(new SettlementEntry(settlement, admitted), _capacity);

    public Task SettleLateAsync(Settlement settlement) => Hand(new SettlementEntry(settlement, admitted: null) { IsLate = true }, _capacity);

    public Task RecordAsync(Denial denial) => Hand(new DenialEntry(denial), _capacityForNew);

    public void Note(Checkpoint checkpoint)
    {
        if (!_writer.Works || !_queue.TryAdd(new CheckpointEntry(checkpoint), _capacityForNew))
        {
            _metrics.CheckpointDropped();
        }
    }

    /// <summary>Writes what was handed over, then closes. Safe to call twice.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Close();
        await _writer.Finished;
        _metrics.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>For a container that is disposed of without awaiting.</summary>
    public void Dispose()
    {
        DisposeAsync().AsTask().GetAwaiter().GetResult();
        GC.SuppressFinalize(this);
    }

    /// <summary>Something of the store's own, in the journal's order; it may use the whole queue.</summary>
    protected Task Hand(Entry entry) => Hand(entry, _capacity);

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
