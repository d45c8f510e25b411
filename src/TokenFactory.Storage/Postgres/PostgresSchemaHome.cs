using System.Data;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace TokenFactory.Storage.Postgres;

/// <summary>The schema in the database. Its turn is an advisory lock of the session, which ends with it.</summary>
internal sealed class PostgresSchemaHome(PostgresDatabase database, Partitions partitions, TimeProvider clock) : ISchemaHome
{
    /// <summary>Any number that nothing else in the database uses; the letters of "tfgw".</summary>
    private const long Turn = 0x74666777;

    /// <summary>The first version that names transactions by numbers that never start over.</summary>
    private const int OldestVersion = 130_000;

    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(2);

    public string Name => char.ToUpperInvariant(database.Name[0]) + database.Name[1..];

    public bool Exists => true;

    public async Task<IAsyncDisposable> TakeTurnAsync(DbContext context, CancellationToken cancel)
    {
        await context.Database.OpenConnectionAsync(cancel);

        // A large table takes what it takes; a migration given up half-way would only be begun again, at every start.
        context.Database.SetCommandTimeout(0);
        var connection = (NpgsqlConnection)context.Database.GetDbConnection();
        if ((int)(await ScalarAsync("SELECT current_setting('server_version_num')::int"))! < OldestVersion)
        {
            throw new StorageException($"{Name} is older than PostgreSQL 13. Use version 13 or newer.");
        }

        // A migration that waits for a lock makes everything behind it wait too: rather fail, and be run again.
        await ScalarAsync("SET lock_timeout = '10s'");
        var started = clock.GetTimestamp();
        while (!(bool)(await ScalarAsync($"SELECT pg_try_advisory_lock({Turn})"))!)
        {
            if (clock.GetElapsedTime(started) > _patience)
            {
                throw new StorageException($"Another process has been migrating {database.Name} for longer than {_patience}. Wait for it or end it, then try again.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), clock, cancel);
        }

        return new Held(context);

        async Task<object?> ScalarAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            return await command.ExecuteScalarAsync(cancel);
        }
    }

    public Task BeforeAsync(DbContext context, CancellationToken cancel) => Task.CompletedTask;

    public async Task<IReadOnlyList<string>> AfterAsync(CancellationToken cancel) => await partitions.MakeAsync(cancel);

    public StorageException? Explain(Exception cause) => database.Explain(cause);

    /// <summary>Npgsql drops locks and settings of a session when its connection is used again; the turn ends before that.</summary>
    private sealed class Held(DbContext context) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            if (context.Database.GetDbConnection().State == ConnectionState.Open)
            {
                await context.Database.ExecuteSqlRawAsync("SELECT pg_advisory_unlock({0})", Turn);
            }

            await context.Database.CloseConnectionAsync();
        }
    }
}
