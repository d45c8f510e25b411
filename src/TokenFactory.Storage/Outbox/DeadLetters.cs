using Microsoft.EntityFrameworkCore;
using Row = System.Collections.Generic.Dictionary<string, object>;

namespace TokenFactory.Storage.Outbox;

/// <summary>For operators, in the serving process or beside it: what was parked and why, and trying it again.</summary>
public sealed class DeadLetters
{
    private readonly IDbContextFactory<GatewayDbContext> _contexts;
    private readonly TimeProvider _clock;

    internal DeadLetters(IDbContextFactory<GatewayDbContext> contexts, TimeProvider clock)
    {
        _contexts = contexts;
        _clock = clock;
    }

    /// <summary>The newest first; of every sink when <paramref name="sink"/> is null.</summary>
    public async Task<IReadOnlyList<DeadLetter>> ListAsync(string? sink, int limit, CancellationToken cancel = default)
    {
        await using var context = await _contexts.CreateDbContextAsync(cancel);
        var rows = await Letters(context)
            .Where(row => sink == null || EF.Property<string>(row, "sink") == sink)
            .OrderByDescending(row => EF.Property<DateTimeOffset>(row, "parked_at")).ThenByDescending(row => EF.Property<Guid>(row, "event_id"))
            .Take(limit).ToListAsync(cancel);
        return [.. rows.Select(row => new DeadLetter(
            (string)row["sink"], (Guid)row["event_id"], (string)row["type"], (int)row["attempts"], (string)row["error"], (DateTimeOffset)row["parked_at"],
            row.GetValueOrDefault("replay_at") is not null, (byte[])row["body"]))];
    }

    /// <summary>Asks the sink's relay to try again: one event, or with null all of the sink's.</summary>
    /// <returns>How many will be tried.</returns>
    public async Task<int> ReplayAsync(string sink, Guid? eventId, CancellationToken cancel = default)
    {
        await using var context = await _contexts.CreateDbContextAsync(cancel);
        DateTimeOffset? now = _clock.GetUtcNow();
        return await Letters(context)
            .Where(row => EF.Property<string>(row, "sink") == sink && (eventId == null || EF.Property<Guid>(row, "event_id") == eventId))
            .ExecuteUpdateAsync(set => set.SetProperty(row => EF.Property<DateTimeOffset?>(row, "replay_at"), now), cancel);
    }

    private static IQueryable<Row> Letters(GatewayDbContext context) => context.Set<Row>("dead_letters").AsNoTracking();
}
