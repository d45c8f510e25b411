using TokenFactory.Storage;
using TokenFactory.Storage.Journal;

namespace TokenFactory.Inference.Tests.Simulation;

/// <summary>Finds what dead instances left open, with the PostgreSQL store's rules.</summary>
internal sealed class FaultyOpenAdmissions(World world, Lane lane, Guid self) : IOpenAdmissions
{
    private readonly SignsOfLife _signs = new(world.Clock, Replica.InstanceLease);

    public async Task<IReadOnlyList<Guid>> InstancesAsync(bool alsoOwn, CancellationToken cancel)
    {
        await AskAsync();
        var now = world.Database.Now;
        List<Guid> dead = [];
        foreach (var (id, row) in world.Database.Instances)
        {
            if (row.Closed || (id == self ? !alsoOwn : now - row.Beat < Replica.InstanceLease))
            {
                continue;
            }

            if ((_signs.AreOver(id, row.Beat) || id == self) && (row.ClaimedBy is null || row.ClaimedBy == self || row.ClaimedUntil < now))
            {
                (row.ClaimedBy, row.ClaimedUntil) = (self, now + Replica.InstanceLease);
                dead.Add(id);
            }
        }

        return dead;
    }

    public async Task<IReadOnlyList<OpenAdmission>> PageAsync(Guid instance, OpenAdmission? after, int limit, CancellationToken cancel)
    {
        await AskAsync();
        return
        [
            .. from admission in world.Database.Admissions.Values
               where admission.InstanceId == instance && !world.Database.Settlements.ContainsKey(admission.RequestId)
                  && (after is null || admission.RequestId.CompareTo(after.Admission.RequestId) > 0)
               orderby admission.RequestId
               let known = world.Database.Checkpoints.TryGetValue(admission.RequestId, out var noted) ? noted : default
               select new OpenAdmission(0, admission, known.Checkpoint, known.Checkpoint is null ? null : known.NotedAt),
        ];
    }

    public async Task CloseAsync(Guid instance)
    {
        await AskAsync();
        if (instance != self && world.Database.Instances[instance] is var row && world.Database.Now - row.Beat >= Replica.InstanceLease && !HasOpen(instance))
        {
            world.Tell($"{lane.Name} closes {world.NameOf(instance)}");
            row.Closed = true;
            _signs.Forget(instance);
        }
    }

    private bool HasOpen(Guid instance) =>
        world.Database.Admissions.Values.Any(one => one.InstanceId == instance && !world.Database.Settlements.ContainsKey(one.RequestId));

    private async Task AskAsync()
    {
        await world.PassAsync(TimeSpan.FromMilliseconds(500));
        if (world.Trouble(static kind => kind.ReadFails))
        {
            throw new StorageException("the store does not answer");
        }
    }
}
