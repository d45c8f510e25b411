using Microsoft.EntityFrameworkCore;
using TokenFactory.Storage.Model;

namespace TokenFactory.Storage;

/// <summary>
/// Brings the schema up to this program's. Repeatable, and safe when several processes start at once: one works while the
/// others wait, and they then find nothing left to do.
/// </summary>
public sealed class StorageMigrator
{
    private readonly IDbContextFactory<GatewayDbContext> _contexts;
    private readonly ISchemaHome _home;

    internal StorageMigrator(IDbContextFactory<GatewayDbContext> contexts, ISchemaHome home)
    {
        _contexts = contexts;
        _home = home;
    }

    /// <returns>What this call did, in order: the migrations it applied, the partitions it made; empty when there was nothing to do.</returns>
    /// <exception cref="StorageException">The store or its schema cannot be used.</exception>
    public async Task<IReadOnlyList<string>> MigrateAsync(CancellationToken cancel = default)
    {
        try
        {
            await using var context = await _contexts.CreateDbContextAsync(cancel);
            await using var turn = await _home.TakeTurnAsync(context, cancel);
            var before = await AppliedAsync(context, cancel);
            await RefuseUnknownAsync(context, before, cancel);
            if (context.Database.GetMigrations().Except(before).Any())
            {
                await _home.BeforeAsync(context, cancel);
                await context.Database.MigrateAsync(cancel);
            }

            var applied = (await AppliedAsync(context, cancel)).Except(before);
            return [.. applied, .. await _home.AfterAsync(cancel)];
        }
        catch (Exception cause) when (_home.Explain(cause) is { } explained && explained != cause)
        {
            throw explained;
        }
    }

    internal string StoreName => _home.Name;

    /// <summary>Gives a store without any schema this program's; one that has another is left as it is.</summary>
    /// <exception cref="StorageException">It has another.</exception>
    internal async Task MigrateNewAsync(CancellationToken cancel)
    {
        await using (var context = await _contexts.CreateDbContextAsync(cancel))
        {
            if ((await AppliedAsync(context, cancel)).Count > 0)
            {
                await RequireCurrentAsync(cancel);
            }
        }

        await MigrateAsync(cancel);
    }

    /// <summary>Changes nothing.</summary>
    /// <returns>The newest migration.</returns>
    /// <exception cref="StorageException">The schema is not this program's.</exception>
    internal async Task<string> RequireCurrentAsync(CancellationToken cancel)
    {
        await using var context = await _contexts.CreateDbContextAsync(cancel);
        var applied = await AppliedAsync(context, cancel);
        if (applied.Except(context.Database.GetMigrations()).LastOrDefault() is { } unknown)
        {
            // Newer columns would stay behind.
            throw new StorageException($"{_home.Name} was written by a newer gateway (it has migration {unknown}, which this program does not know). Use that version or a newer one.");
        }

        return context.Database.GetMigrations().Except(applied).FirstOrDefault() is { } missing
            ? throw new StorageException($"{_home.Name} does not have this program's schema: it lacks migration {missing}. Run 'gateway migrate' on it, or use the gateway that wrote it.")
            : applied[^1];
    }

    private static async Task<IReadOnlyList<string>> AppliedAsync(GatewayDbContext context, CancellationToken cancel) =>
        [.. await context.Database.GetAppliedMigrationsAsync(cancel)];

    /// <summary>A newer schema is served if it says that it can be: a replica of the version before may start again in the middle of a rollout.</summary>
    private async Task RefuseUnknownAsync(GatewayDbContext context, IReadOnlyList<string> applied, CancellationToken cancel)
    {
        var known = context.Database.GetMigrations().ToHashSet();
        if (!applied.Any(migration => !known.Contains(migration)))
        {
            return;
        }

        var needed = await context.Set<SchemaNeeds>().AsNoTracking().Select(row => row.Migration).SingleAsync(cancel);
        if (!known.Contains(needed))
        {
            throw new StorageException($"{_home.Name} was written by a newer gateway (it needs migration {needed}, which this program does not know). Run that version or a newer one.");
        }
    }
}
