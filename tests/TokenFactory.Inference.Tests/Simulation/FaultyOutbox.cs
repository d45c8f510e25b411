using TokenFactory.Storage;
using TokenFactory.Storage.Outbox;

namespace TokenFactory.Inference.Tests.Simulation;

/// <summary>A process' view of the outbox, with the PostgreSQL store's leases on the sink's cursor.</summary>
internal sealed class FaultyOutbox(World world, Lane lane, Guid self) : IOutbox
{
    public Task NextCommit => world.Database.NextCommit;

    private CursorRow Cursor => world.Database.Cursor;

    public async Task<OutboxBatch> ReadAsync(string sink, int limit, CancellationToken cancel)
    {
        await AskAsync();
        if (!MayHold())
        {
            return new OutboxBatch([], 0, null, 0);
        }

        (Cursor.LeasedBy, Cursor.LeasedUntil) = (self, world.Database.Now + Replica.SinkLease);
        var waiting = world.Database.Outbox.Skip((int)Cursor.Seq).ToArray();
        return new OutboxBatch([.. waiting.Take(limit)], waiting.Length, waiting.FirstOrDefault()?.CreatedAt, world.Database.DeadLetters.Count);
    }

    public async Task AdvanceAsync(string sink, OutboxMessage last)
    {
        await AskAsync();
        Move(last);
        await LoseAsync();
    }

    public async Task ParkAsync(string sink, OutboxMessage message, int attempts, string error)
    {
        await AskAsync();
        world.Tell($"{lane.Name} parks event {message.Seq}");
        world.Require(world.Sink.IsPoison(message), "only what the sink refuses is parked");
        world.Database.DeadLetters[message.EventId] = message;
        Move(message);
        await LoseAsync();
    }

    public Task<IReadOnlyList<OutboxMessage>> ReadReplaysAsync(string sink, int limit, CancellationToken cancel) => Task.FromResult<IReadOnlyList<OutboxMessage>>([]);

    public Task EndReplayAsync(string sink, Guid eventId, string? error) => throw new NotSupportedException("Nobody asks for replays here.");

    public Task<int> TrimAsync(IReadOnlyCollection<string> sinks) => Task.FromResult(0);

    private bool MayHold() => Cursor.LeasedBy is null || Cursor.LeasedBy == self || Cursor.LeasedUntil < world.Database.Now;

    private void Move(OutboxMessage last)
    {
        if (last.Seq > Cursor.Seq && MayHold())
        {
            world.Tell($"{lane.Name} moves the cursor to {last.Seq}");
            Cursor.Seq = last.Seq;
            Checks.CursorStandsBehindWhatWasDelivered(world);
        }
    }

    private async Task LoseAsync()
    {
        await world.PassAsync(TimeSpan.FromMilliseconds(100));
        if (world.Trouble(static kind => kind.CursorLost))
        {
            throw new StorageException("the reply was lost");
        }
    }

    private async Task AskAsync()
    {
        await world.PassAsync(TimeSpan.FromMilliseconds(500));
        if (world.Trouble(static kind => kind.CursorLost))
        {
            throw new StorageException("the store does not answer");
        }
    }
}
