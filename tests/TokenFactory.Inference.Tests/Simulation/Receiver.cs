using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Relay;

namespace TokenFactory.Inference.Tests.Simulation;

/// <summary>The system that events go to; every process' sink leads here.</summary>
internal sealed class Receiver(World world)
{
    private readonly Dictionary<long, OutboxMessage> _taken = [];
    private readonly Dictionary<Guid, bool> _poison = [];

    public bool Has(long seq) => _taken.ContainsKey(seq);

    public bool IsPoison(OutboxMessage message)
    {
        if (!_poison.TryGetValue(message.EventId, out var poison))
        {
            _poison[message.EventId] = poison = world.Trouble(static kind => kind.Poison);
        }

        return poison;
    }

    public void Take(IReadOnlyList<OutboxMessage> batch)
    {
        if (batch.Any(IsPoison))
        {
            throw new SinkRejectedException("422");
        }

        foreach (var message in batch)
        {
            world.Require(!_taken.TryGetValue(message.Seq, out var before) || before.Body.Span.SequenceEqual(message.Body.Span), "an event has the same bytes at every delivery");
            world.Require(
                world.Database.Outbox.Take((int)message.Seq - 1).All(earlier => Has(earlier.Seq) || world.Database.DeadLetters.ContainsKey(earlier.EventId)),
                $"event {message.Seq} comes after all that was before it");
            _taken[message.Seq] = message;
        }
    }
}

/// <summary>A process' way there.</summary>
internal sealed class FaultySink(World world, Lane lane, int maxBatch) : ISink
{
    public string Name => "receiver";

    public int MaxBatch => maxBatch;

    public async Task DeliverAsync(IReadOnlyList<OutboxMessage> batch, CancellationToken cancel)
    {
        await world.PassAsync(world.Trouble(static kind => kind.SinkHangs) ? Replica.SinkLease * 2 : TimeSpan.FromMilliseconds(200));
        if (world.Trouble(static kind => kind.SinkFails))
        {
            throw new SinkUnavailableException("the sink is down");
        }

        world.Sink.Take(batch);
        world.Tell($"{lane.Name} delivers events {batch[0].Seq} to {batch[^1].Seq}");
        await world.PassAsync(TimeSpan.FromMilliseconds(100));
        if (world.Trouble(static kind => kind.SinkTakesAndFails))
        {
            throw new SinkUnavailableException("no answer");
        }
    }
}
