using Microsoft.EntityFrameworkCore;

namespace TokenFactory.Storage.Registry;

/// <summary>
/// The registered documents and their history. A change is decided on what was read, and is written only if nobody changed anything
/// since: what was validated as a whole comes into force as a whole.
/// </summary>
public sealed class RegistryTables
{
    private readonly IDbContextFactory<GatewayDbContext> _contexts;
    private readonly ISchemaHome _home;
    private readonly StoreVersions _versions;
    private readonly TimeProvider _clock;

    internal RegistryTables(IDbContextFactory<GatewayDbContext> contexts, ISchemaHome home, StoreVersions versions, TimeProvider clock)
    {
        _contexts = contexts;
        _home = home;
        _versions = versions;
        _clock = clock;
    }

    /// <summary>The highest revision; 0 while nothing was ever registered.</summary>
    public Task<long> RevisionAsync(CancellationToken cancel) => _versions.RegistryAsync(cancel);

    public async Task<RegistryContent> ReadAsync(CancellationToken cancel)
    {
        await using var context = await _contexts.CreateDbContextAsync(cancel);

        // Documents and revision of one moment. Where a transaction does not give that (read committed), the revision is read first:
        // documents newer than it are read once more at the next look.
        await using var transaction = await context.Database.BeginTransactionAsync(cancel);
        var revision = await RevisionAsync(context, cancel);
        var feed = await context.Set<RegistryRevision>().AsNoTracking().Where(row => row.FeedVersion != null).OrderByDescending(row => row.Revision).FirstOrDefaultAsync(cancel);
        var documents = await context.Set<RegistryDocument>().AsNoTracking().OrderBy(row => row.Kind).ThenBy(row => row.Name).ToListAsync(cancel);
        return new RegistryContent(revision, feed?.FeedVersion, documents) { FeedOf = feed?.ChangedBy };
    }

    /// <summary>As <see cref="ReadAsync"/>, of a store that may not have this program's schema yet: then there is nothing.</summary>
    /// <exception cref="StorageException">The store cannot be used.</exception>
    public async Task<RegistryContent> ReadIfThereAsync(CancellationToken cancel)
    {
        if (!_home.Exists)
        {
            return RegistryContent.Empty;
        }

        try
        {
            await using var context = await _contexts.CreateDbContextAsync(cancel);
            var applied = await context.Database.GetAppliedMigrationsAsync(cancel);
            return applied.Any(migration => migration.EndsWith("_" + FirstMigration, StringComparison.Ordinal)) ? await ReadAsync(cancel) : RegistryContent.Empty;
        }
        catch (Exception cause) when (_home.Explain(cause) is { } explained && explained != cause)
        {
            throw explained;
        }
    }

    /// <param name="known">What the edits were decided on.</param>
    /// <returns>The new revision.</returns>
    /// <exception cref="RegistryConflictException">The registry is not what was known any more. Nothing was written.</exception>
    public async Task<long> ApplyAsync(
        RegistryContent known, RegistryOrigin origin, IReadOnlyList<RegistryEdit> edits, string by, long? feedVersion, CancellationToken cancel)
    {
        var (revision, now) = (known.Revision + 1, _clock.GetUtcNow());
        await using var context = await _contexts.CreateDbContextAsync(cancel);
        await using var transaction = await context.Database.BeginTransactionAsync(cancel);
        try
        {
            // The key of this row is what two writers at once meet at.
            context.Add(new RegistryRevision { Revision = revision, Origin = origin, ChangedAt = now, ChangedBy = by, FeedVersion = feedVersion });
            await context.SaveChangesAsync(cancel);
        }
        catch (DbUpdateException)
        {
            await transaction.RollbackAsync(cancel);
            if (await RevisionAsync(cancel) == known.Revision)
            {
                throw;
            }

            throw new RegistryConflictException();
        }

        var rows = await context.Set<RegistryDocument>().ToDictionaryAsync(document => (document.Kind, document.Name), cancel);
        foreach (var edit in edits)
        {
            var row = rows.GetValueOrDefault((edit.Kind, edit.Name));
            if (row is not null && (edit.Body is null || row.Origin != origin))
            {
                context.Remove(row);
                await context.SaveChangesAsync(cancel);
                row = null;
            }

            if (row is not null)
            {
                (row.Body, row.Revision, row.ChangedAt) = (edit.Body!, revision, now);
            }
            else if (edit.Body is not null)
            {
                context.Add(new RegistryDocument { Kind = edit.Kind, Name = edit.Name, Origin = origin, Body = edit.Body, Revision = revision, ChangedAt = now });
            }

            context.Add(new RegistryChange { Revision = revision, Kind = edit.Kind, Name = edit.Name, Origin = origin, Body = edit.Body });
        }

        await context.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        return revision;
    }

    /// <summary>What became of one document, the newest first.</summary>
    public async Task<IReadOnlyList<(RegistryRevision Revision, RegistryChange Change)>> HistoryAsync(
        RegistryKind kind, string name, int limit, CancellationToken cancel)
    {
        await using var context = await _contexts.CreateDbContextAsync(cancel);
        var rows = await context.Set<RegistryChange>().AsNoTracking()
            .Where(change => change.Kind == kind && change.Name == name)
            .Join(context.Set<RegistryRevision>().AsNoTracking(), change => change.Revision, revision => revision.Revision, (change, revision) => new { revision, change })
            .OrderByDescending(row => row.revision.Revision).Take(limit).ToListAsync(cancel);
        return [.. rows.Select(row => (row.revision, row.change))];
    }

    internal const string FirstMigration = "Registry";

    private static async Task<long> RevisionAsync(GatewayDbContext context, CancellationToken cancel) =>
        await context.Set<RegistryRevision>().AsNoTracking().MaxAsync(row => (long?)row.Revision, cancel) ?? 0;
}
