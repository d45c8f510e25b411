using TokenFactory.Storage;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference.Tests.Simulation;

/// <summary>What must hold of every run.</summary>
internal static class Checks
{
    public static void CursorStandsBehindWhatWasDelivered(World world)
    {
        for (var seq = 1; seq <= world.Database.Cursor.Seq; seq++)
        {
            world.Require(
                world.Sink.Has(seq) || world.Database.DeadLetters.ContainsKey(world.Database.Outbox[seq - 1].EventId),
                $"the cursor passes event {seq} only when it was delivered or parked");
        }
    }

    public static void AtTheEnd(World world)
    {
        var database = world.Database;
        foreach (var request in world.Requests)
        {
            world.Require(request.HasEnded || request.Replica.Lane.IsDead, $"{request.Name} ends");
            Closed(world, request);
            Charged(world, request);
        }

        EventsAreOfSettlements(world);
        world.Require(database.Cursor.Seq == database.Outbox.Count, $"every event was delivered or parked (the cursor stands at {database.Cursor.Seq} of {database.Outbox.Count})");
        foreach (var replica in world.Replicas.Where(static one => !one.Lane.IsDead))
        {
            replica.Limiter.CheckLevels(Request.Probe);
        }
    }

    /// <summary>P2, and that only the dead have orphans.</summary>
    private static void Closed(World world, Request request)
    {
        var database = world.Database;
        var isSettled = database.Settlements.TryGetValue(request.Id, out var settlement);
        world.Require(isSettled == database.Admissions.ContainsKey(request.Id), $"P2: {request.Name} is {(isSettled ? "admitted since it is settled" : "settled since it is admitted")}");
        if (settlement?.Outcome == Outcome.Orphaned)
        {
            world.Require(
                request.Replica.Lane.IsDead || database.Instances[request.Replica.Id].LongestSilence >= Replica.InstanceLease,
                $"{request.Name} is not settled as an orphan of {request.Replica.Name}, which lived");
        }
    }

    /// <summary>What a process that lives charged to its limits is what the ledger says.</summary>
    private static void Charged(World world, Request request)
    {
        // A request is adjusted once at most: who woke up to an orphan, adjusted it and lost that reply too, keeps the first adjustment.
        if (world.Database.Adjustments.TryGetValue(request.Id, out var adjusted) && adjusted.Stood == Outcome.Orphaned && adjusted.Known.Outcome == Outcome.Completed)
        {
            return;
        }

        if (!request.Replica.Lane.IsDead && world.Database.Settlements.ContainsKey(request.Id) && request.Replica.Limiter.Charged.TryGetValue(request.Id, out var charged))
        {
            var known = world.Database.TokensOf(request.Id);
            world.Require(known == charged.Tokens, $"the ledger has for {request.Name} what its limits were charged: {known}, not {charged.Tokens}");
        }
    }

    private static void EventsAreOfSettlements(World world)
    {
        var database = world.Database;
        var events = database.Outbox.Select(static one => one.EventId).ToList();
        var expected = database.Settlements.Keys.Concat(database.Adjustments.Keys.Select(Ids.AdjustmentOf)).ToHashSet();
        world.Require(events.Count == expected.Count && expected.SetEquals(events), "P2: there is one event for each settlement and each adjustment, and no other");
    }
}
