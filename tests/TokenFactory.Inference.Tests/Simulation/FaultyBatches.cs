using TokenFactory.Storage;
using TokenFactory.Storage.Journal.Writer;

namespace TokenFactory.Inference.Tests.Simulation;

/// <summary>A process' way to the store, as the PostgreSQL store goes it: what failed is asked again once, with the same ids.</summary>
internal sealed class FaultyBatches(World world, Lane lane, Guid instance) : IBatchStore
{
    private static readonly TimeSpan _slowest = TimeSpan.FromSeconds(12);

    private TimeSpan _beatAt;

    public bool Gathers => false;

    public void Open()
    {
        if (lane.IsDead || world.Trouble(static kind => kind.OpenFails))
        {
            throw new StorageException("the store cannot be opened");
        }

        _beatAt = world.Elapsed;
        world.Database.Beat(instance);
    }

    public void Write(IReadOnlyList<Entry> batch)
    {
        try
        {
            WriteTogether(batch);
        }
        catch (StorageException)
        {
            world.Tell($"{lane.Name} sends {batch.Count} entries again");
            Open();
            WriteTogether(batch);
        }
    }

    public void Close()
    {
    }

    public void Dispose()
    {
    }

    private void WriteTogether(IReadOnlyList<Entry> batch)
    {
        if (batch.Count > 1 && world.Trouble(static kind => kind.EntryRefused))
        {
            // Something in it is refused, found by halving.
            var half = batch.Count / 2;
            WriteTogether([.. batch.Take(half)]);
            WriteTogether([.. batch.Skip(half)]);
            return;
        }

        if (batch.Count == 1 && batch[0] is CheckpointEntry or AdmissionEntry && world.Trouble(static kind => kind.EntryRefused))
        {
            world.Tell($"{lane.Name} has an entry refused");
            batch[0].Fault = new InvalidOperationException("a value that the store cannot hold");
            return;
        }

        var beats = world.Elapsed - _beatAt >= Replica.InstanceLease / 6;
        if (beats)
        {
            _beatAt = world.Elapsed;
        }

        world.Tell($"{lane.Name} writes {string.Join(", ", batch.Select(Request.NameOf))}");
        var earlier = Send(() => world.Database.Write(batch, instance, beats));
        if (earlier.Count > 0)
        {
            Send(() =>
            {
                world.Database.Adjust(earlier);
                return earlier;
            });
        }
    }

    private T Send<T>(Func<T> statement)
    {
        world.Meanwhile(lane);
        if (world.Trouble(static kind => kind.SlowWrite))
        {
            world.Wait(lane, _slowest * world.Random.NextDouble());
        }

        if (lane.IsDead)
        {
            if (world.Chance(0.5))
            {
                statement();
            }

            throw new StorageException("the process is gone");
        }

        if (world.Trouble(static kind => kind.WriteFails))
        {
            world.Tell($"{lane.Name}: the write fails");
            throw new StorageException("nothing was written");
        }

        if (world.Trouble(static kind => kind.WrittenLater))
        {
            world.Tell($"{lane.Name}: the write is given up, and carried out later");
            world.Later(Replica.WrittenWithin * world.Random.NextDouble(), () => statement());
            throw new StorageException("no answer");
        }

        var answer = statement();
        world.Meanwhile(lane);
        if (lane.IsDead || world.Trouble(static kind => kind.ReplyLost))
        {
            world.Tell($"{lane.Name}: the reply is lost");
            throw new StorageException("the reply was lost");
        }

        return answer;
    }
}
