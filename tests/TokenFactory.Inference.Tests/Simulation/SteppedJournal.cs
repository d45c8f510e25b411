using Microsoft.Extensions.Logging.Abstractions;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Journal.Writer;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Postgres.Writer;

namespace TokenFactory.Inference.Tests.Simulation;

/// <summary>The product's journal, whose thread is the world: it takes a turn when the seed says so.</summary>
internal sealed class SteppedJournal(TimeProvider clock, IBatchStore store, int queue, int batch)
    : GroupJournal(store, queue, batch, new OutboxSignal(), clock, NullLogger.Instance)
{
    public bool Works => Writer.Works;

    public bool TryOpen() => Writer.TryOpen();

    public void Turn() => Writer.Turn(TimeSpan.Zero);

    public Task BeatAsync() => Hand(new BeatEntry());
}

/// <summary>
/// The same to the code of one process. What waits for an entry goes on in the process' lane, also where the product waits for
/// several at once: those would otherwise go on in the thread pool, where no seed decides.
/// </summary>
internal sealed class LaneJournal(SteppedJournal journal) : IJournal
{
    /// <summary>Entries handed over whose fate is not known yet.</summary>
    public int Waiting { get; private set; }

    /// <summary>Whether a checkpoint may be in the queue.</summary>
    public bool HasNotes { get; private set; }

    public bool IsWritable => journal.IsWritable;

    /// <summary>The entry's own task: the product looks at it without waiting, and then sees what the writer's thread just said.</summary>
    public Task AdmitAsync(Admission admission)
    {
        var entry = journal.AdmitAsync(admission);
        _ = CountAsync(entry);
        return entry;
    }

    public Task SettleOnceAsync(Settlement settlement, Task? admitted = null) => AwaitAsync(journal.SettleOnceAsync(settlement, admitted));

    public Task SettleLateAsync(Settlement settlement) => AwaitAsync(journal.SettleLateAsync(settlement));

    public Task RecordAsync(Denial denial) => AwaitAsync(journal.RecordAsync(denial));

    public Task BeatAsync() => AwaitAsync(journal.BeatAsync());

    public void Note(Checkpoint checkpoint)
    {
        HasNotes = true;
        journal.Note(checkpoint);
    }

    public void Written() => HasNotes = false;

    private async Task CountAsync(Task entry)
    {
        Waiting++;
        await entry.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        Waiting--;
    }

    private async Task AwaitAsync(Task entry)
    {
        Waiting++;
        try
        {
            await entry;
        }
        finally
        {
            Waiting--;
        }
    }
}
