using System.Diagnostics.Metrics;

namespace TokenFactory.Storage.Journal.Writer;

internal sealed class JournalMetrics : IDisposable
{
    private readonly Meter _meter = new("TokenFactory.Gateway");
    private readonly Histogram<int> _batchSize;
    private readonly Histogram<double> _commit;
    private readonly Counter<long> _failures;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _droppedCheckpoints;

    public JournalMetrics(Func<int> depth, Func<bool> writable)
    {
        _meter.CreateObservableGauge("gateway.journal.queue.depth", depth, "{entry}", "Entries waiting to be written");
        _meter.CreateObservableGauge("gateway.journal.writable", () => writable() ? 1 : 0, null, "1 while new work is accepted");
        _batchSize = _meter.CreateHistogram<int>("gateway.journal.batch.size", "{entry}", "Entries per transaction",
            advice: new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512] });
        _commit = _meter.CreateHistogram<double>("gateway.journal.commit.duration", "s", "From the start of a transaction to its durability",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2] });
        _failures = _meter.CreateCounter<long>("gateway.journal.failures", "{commit}", "Commits that failed");
        _refused = _meter.CreateCounter<long>("gateway.journal.refused", "{entry}", "Entries refused because the queue was full or the store failed");
        _droppedCheckpoints = _meter.CreateCounter<long>("gateway.journal.checkpoints.dropped", "{checkpoint}", "Checkpoints dropped because the queue was full");
    }

    public void Committed(int entries, TimeSpan took)
    {
        _batchSize.Record(entries);
        _commit.Record(took.TotalSeconds);
    }

    public void Failed() => _failures.Add(1);

    public void Refused() => _refused.Add(1);

    public void CheckpointDropped() => _droppedCheckpoints.Add(1);

    public void Dispose() => _meter.Dispose();
}
