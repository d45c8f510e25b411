using TokenFactory.Storage.Audit;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Journal.Writer;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Postgres.Writer;

namespace TokenFactory.Inference.Tests.Simulation;

/// <summary>What is durable. The rules of the tables are those of the PostgreSQL store; nothing in here fails.</summary>
internal sealed class Database(World world) : IDisposable
{
    private readonly AuditBodyWriter _records = new();
    private readonly RecordedEvent _events = new();
    private TaskCompletionSource _commit = new();

    public Dictionary<Guid, Admission> Admissions { get; } = [];

    public Dictionary<Guid, Settlement> Settlements { get; } = [];

    public Dictionary<Guid, Adjustment> Adjustments { get; } = [];

    public Dictionary<Guid, (Checkpoint Checkpoint, DateTimeOffset NotedAt)> Checkpoints { get; } = [];

    public List<OutboxMessage> Outbox { get; } = [];

    public Dictionary<Guid, InstanceRow> Instances { get; } = [];

    public CursorRow Cursor { get; } = new();

    public Dictionary<Guid, OutboxMessage> DeadLetters { get; } = [];

    /// <summary>Not <see cref="OutboxSignal"/>'s: that one goes on in the thread pool, where no seed decides.</summary>
    public Task NextCommit => _commit.Task;

    /// <summary>The store's own clock, which nobody corrects.</summary>
    public DateTimeOffset Now => DateTimeOffset.UnixEpoch + world.Elapsed;

    public void Beat(Guid instance)
    {
        if (!Instances.TryGetValue(instance, out var row))
        {
            Instances.Add(instance, row = new InstanceRow { Beat = Now });
        }

        row.LongestSilence = Max(row.LongestSilence, Now - row.Beat);
        (row.Beat, row.Closed) = (Now, false);
    }

    /// <summary>One transaction of the journal.</summary>
    /// <returns>The settlements of requests that had one already.</returns>
    public List<SettlementEntry> Write(IReadOnlyList<Entry> batch, Guid instance, bool beats)
    {
        foreach (var entry in batch.OfType<AdmissionEntry>())
        {
            Admissions.TryAdd(entry.Admission.RequestId, entry.Admission);
            Instances[instance].Closed = false;
        }

        List<SettlementEntry> earlier = [];
        foreach (var entry in batch.OfType<SettlementEntry>().OrderBy(static one => one.IsLate))
        {
            Settle(entry, earlier);
        }

        foreach (var checkpoint in batch.OfType<CheckpointEntry>().Select(static one => one.Checkpoint).Where(one => !Settlements.ContainsKey(one.RequestId)))
        {
            Checkpoints[checkpoint.RequestId] = (checkpoint, Now);
        }

        if (beats || batch.Any(static one => one is BeatEntry))
        {
            Beat(instance);
        }

        Committed();
        return earlier;
    }

    public void Adjust(IEnumerable<SettlementEntry> entries)
    {
        foreach (var entry in entries)
        {
            if (!Settlements.TryGetValue(entry.Settlement.Admission.RequestId, out var stands)
                || Adjustment.Of(entry.Settlement, new Standing(stands.Outcome, stands.Evidence, stands.Tokens, stands.CostNanoUsd), entry.IsLate) is not { } adjustment
                || !Adjustments.TryAdd(stands.Admission.RequestId, adjustment))
            {
                continue;
            }

            world.Tell($"   adjusted {Request.NameOf(stands.Admission)}: {adjustment.Tokens.Total:+0;-0;0} tokens, {stands.Outcome} is known to be {adjustment.Known.Outcome}");
            Append(adjustment.Id, _records.Write(adjustment));
        }

        Committed();
    }

    /// <summary>What the ledger says a request used, its adjustment included.</summary>
    public long TokensOf(Guid request) =>
        (Settlements.TryGetValue(request, out var settled) ? settled.Tokens.Total : 0) + (Adjustments.TryGetValue(request, out var adjusted) ? adjusted.Tokens.Total : 0);

    /// <summary>How it ended as far as the ledger knows.</summary>
    public Outcome? OutcomeOf(Guid request) =>
        Adjustments.TryGetValue(request, out var adjusted) ? adjusted.Known.Outcome : Settlements.TryGetValue(request, out var settled) ? settled.Outcome : null;

    public void Dispose() => _records.Dispose();

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private void Settle(SettlementEntry entry, List<SettlementEntry> earlier)
    {
        var id = entry.Settlement.Admission.RequestId;
        if (entry.NeedsAdmission && !Admissions.ContainsKey(id))
        {
            return;
        }

        if (!Settlements.TryAdd(id, entry.Settlement))
        {
            earlier.Add(entry);
            return;
        }

        world.Tell($"   settled {Request.NameOf(entry.Settlement.Admission)}: {entry.Settlement.Outcome}, {entry.Settlement.Tokens.Total} tokens");
        Checkpoints.Remove(id);
        Append(id, _records.Write(entry.Settlement));
    }

    private void Append(Guid id, ReadOnlySpan<byte> record) =>
        Outbox.Add(new OutboxMessage(Outbox.Count + 1, id, RecordedEvent.Usage, _events.Of(id, RecordedEvent.Usage, record), Now));

    private void Committed()
    {
        var commit = _commit;
        _commit = new TaskCompletionSource();
        commit.SetResult();
    }
}

internal sealed class InstanceRow
{
    public DateTimeOffset Beat { get; set; }

    public bool Closed { get; set; }

    public Guid? ClaimedBy { get; set; }

    public DateTimeOffset ClaimedUntil { get; set; }

    public TimeSpan LongestSilence { get; set; }
}

internal sealed class CursorRow
{
    public long Seq { get; set; }

    public Guid? LeasedBy { get; set; }

    public DateTimeOffset LeasedUntil { get; set; }
}
