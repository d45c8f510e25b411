using Microsoft.EntityFrameworkCore;
using TokenFactory.Storage.Sqlite;

namespace TokenFactory.Storage;

/// <summary>
/// Brings the schema up to this program's. Repeatable, and safe when several processes start at once: one works while the
/// others wait, and they then find nothing left to do.
/// </summary>
public sealed class StorageMigrator
{
    private readonly IDbContextFactory<GatewayDbContext> _contexts;
    private readonly SqliteFile _file;
    private readonly TimeProvider _clock;

    internal StorageMigrator(IDbContextFactory<GatewayDbContext> contexts, SqliteFile file, TimeProvider clock)
    {
        _contexts = contexts;
        _file = file;
        _clock = clock;
    }

    /// <returns>The migrations this call applied, oldest first; empty when there was nothing to do.</returns>
    /// <exception cref="StorageException">The directory, the file or its schema cannot be used.</exception>
    public async Task<IReadOnlyList<string>> MigrateAsync(CancellationToken cancel = default)
    {
        _file.Prepare();
        using var turn = await FileLock.TakeAsync(Path.Combine(_file.Directory, "migrate.lock"), _clock, cancel);
        try
        {
            await using var context = await _contexts.CreateDbContextAsync(cancel);
            var before = await AppliedAsync(context, cancel);
            RefuseNewer(context, before);
            if (before.Count == context.Database.GetMigrations().Count())
            {
                return [];
            }

            // EF Core's own lock is a row, which a process killed in the middle leaves behind, and the next start would wait for
            // ever. Whoever holds ours knows that its holder is dead.
            await context.Database.ExecuteSqlRawAsync("DROP TABLE IF EXISTS \"__EFMigrationsLock\"", cancel);
            await context.Database.MigrateAsync(cancel);
            return [.. (await AppliedAsync(context, cancel)).Except(before)];
        }
        catch (Microsoft.Data.Sqlite.SqliteException cause)
        {
            throw _file.Explain(cause);
        }
    }

    private static async Task<IReadOnlyList<string>> AppliedAsync(GatewayDbContext context, CancellationToken cancel) =>
        [.. await context.Database.GetAppliedMigrationsAsync(cancel)];

    private void RefuseNewer(GatewayDbContext context, IReadOnlyList<string> applied)
    {
        // An older program on a newer schema would write rows the newer one cannot read.
        if (applied.Except(context.Database.GetMigrations()).LastOrDefault() is { } unknown)
        {
            throw new StorageException($"{_file.FilePath} was written by a newer gateway (it has migration {unknown}, which this program does not know). Run that version or a newer one.");
        }
    }
}
