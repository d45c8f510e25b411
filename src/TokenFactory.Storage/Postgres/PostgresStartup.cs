using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Requests;

namespace TokenFactory.Storage.Postgres;

/// <summary>
/// Opens the store before anything else of the host starts and closes it after everything else stopped: migrates, opens the
/// journal. Any failure stops the start. In between it says that this instance lives, settles what dead ones left open, keeps
/// partitions ahead of the clock, and adds usage up.
/// </summary>
internal sealed partial class PostgresStartup(
    StorageMigrator migrator, PostgresJournal journal, OrphanSettler orphans, Partitions partitions, UsageFold usage, ICancellations cancellations, PostgresDatabase database, PostgresStorageOptions options,
    TimeProvider clock, ILogger<PostgresStartup> logger) : IHostedLifecycleService, IDisposable
{
    private static readonly TimeSpan _partitionsEvery = TimeSpan.FromHours(1);
    private static readonly TimeSpan _foldEvery = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stopping = new();
    private Task _loops = Task.CompletedTask;

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        foreach (var done in await migrator.MigrateAsync(cancellationToken))
        {
            Log.Migrated(logger, done);
        }

        await RequirePrivilegesAsync(cancellationToken);
        await journal.OpenAsync();
        await SettleAsync(alsoOwn: true, cancellationToken);
        _loops = Task.WhenAll(
            EveryAsync(options.InstanceLease / 4, "say that this instance lives", _ => journal.BeatAsync()),
            EveryAsync(options.InstanceLease / 2, "settle what dead instances left open", cancel => SettleAsync(alsoOwn: false, cancel)),
            EveryAsync(options.InstanceLease / 2, "forget who wanted ended requests stopped", cancellations.ForgetSettledAsync),
            EveryAsync(_partitionsEvery, "make partitions ahead", cancel => partitions.MakeAsync(cancel)),
            EveryAsync(_foldEvery, "add usage up", usage.FoldAsync));
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _loops;
        await journal.DisposeAsync();
        await LeaveAsync();
    }

    public void Dispose() => _stopping.Dispose();

    /// <summary>Gives its leases back, so that the others need not wait for them to run out.</summary>
    private async Task LeaveAsync()
    {
        try
        {
            await using var batch = database.Pool.CreateBatch();
            foreach (var sql in (string[])["UPDATE sink_cursors SET leased_by = NULL, leased_until = NULL WHERE leased_by = $1", "UPDATE instances SET heartbeat_at = 'epoch' WHERE instance_id = $1"])
            {
                var command = new NpgsqlBatchCommand(sql);
                command.Parameters.Add([options.InstanceId]);
                batch.BatchCommands.Add(command);
            }

            await batch.ExecuteNonQueryAsync();
        }
        catch (NpgsqlException cause)
        {
            // They run out by themselves.
            Log.Later(logger, "give the leases back", cause.Message);
        }
    }

    /// <summary>
    /// A grant on all tables covers those that were there: after a migration a user that owns nothing lacks the new ones, and would
    /// find out at the first settlement.
    /// </summary>
    private async Task RequirePrivilegesAsync(CancellationToken cancel)
    {
        await using var command = database.Pool.CreateCommand(
            """
            SELECT string_agg(c.relname, ', ' ORDER BY c.relname) FROM pg_class c
            WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = current_schema()::regnamespace AND c.relname <> '__EFMigrationsHistory'
              AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))
            """);
        if (await command.ExecuteScalarAsync(cancel) is string tables)
        {
            throw new StorageException(
                $"The user '{database.User}' may not read and write these tables of {database.Name}: {tables}. As their owner run, after every 'gateway migrate': " +
                $"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO \"{database.User}\".");
        }
    }

    private async Task SettleAsync(bool alsoOwn, CancellationToken cancel)
    {
        try
        {
            await orphans.SettleAsync(alsoOwn, cancel);
        }
        catch (NpgsqlException cause)
        {
            throw database.Explain(cause)!;
        }
    }

    private async Task EveryAsync(TimeSpan period, string what, Func<CancellationToken, Task> work)
    {
        while (true)
        {
            await Task.Delay(period, clock, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_stopping.IsCancellationRequested)
            {
                return;
            }

            try
            {
                await work(_stopping.Token);
            }
            catch (Exception cause)
            {
                // The edge of a background loop: the database is away for the moment; the next round does the same work.
                if (!_stopping.IsCancellationRequested)
                {
                    Log.Later(logger, what, cause.Message);
                }
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(11401, LogLevel.Information, "Applied {Migration}")]
        public static partial void Migrated(ILogger logger, string migration);

        [LoggerMessage(11402, LogLevel.Warning, "Could not {What}, trying again later: {Reason}")]
        public static partial void Later(ILogger logger, string what, string reason);
    }
}
