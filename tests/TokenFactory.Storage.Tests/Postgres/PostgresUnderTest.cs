using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Postgres;
using TokenFactory.TestKit.Contracts;
using TokenFactory.TestKit.Servers;
using Xunit;

namespace TokenFactory.Storage.Tests.Postgres;

/// <summary>The shared store on a database of its own in a real server.</summary>
internal sealed class PostgresUnderTest : StoreUnderTest
{
    private static readonly Lazy<Task<string>> _template = new(MakeTemplateAsync);

    private bool _disposed;

    private PostgresUnderTest(PostgresServer server, string database, ServiceProvider services, Guid instanceId)
        : base(services, instanceId)
    {
        Server = server;
        Database = database;
    }

    public PostgresServer Server { get; }

    public string Database { get; }

    public static async Task<PostgresUnderTest> OpenAsync(
        PostgresServer? server = null, string? database = null, int? queueCapacity = null, Guid? instanceId = null, TimeSpan? lease = null, TimeProvider? clock = null,
        bool lifecycleEvents = false)
    {
        var home = server ?? await PostgresServer.SharedAsync();
        database ??= await home.NewDatabaseAsync(server is null ? await _template.Value : null);
        var id = instanceId ?? Ids.New(TimeProvider.System);
        var services = Build(home, database, id, queueCapacity, lease, clock, lifecycleEvents: lifecycleEvents);
        await services.GetRequiredService<StorageMigrator>().MigrateAsync();
        await services.GetRequiredService<PostgresJournal>().OpenAsync();
        return new PostgresUnderTest(home, database, services, id);
    }

    /// <param name="lease">None by default: whoever is not this instance is dead at once.</param>
    public static ServiceProvider Build(
        PostgresServer server, string database, Guid? instanceId = null, int? queueCapacity = null, TimeSpan? lease = null, TimeProvider? clock = null, string user = "postgres",
        bool lifecycleEvents = false) =>
        new ServiceCollection().AddSingleton(clock ?? TimeProvider.System).AddPostgresStorage(new PostgresStorageOptions
        {
            Connection = server.ConnectionString(database, user),
            InstanceId = instanceId ?? Ids.New(TimeProvider.System),
            QueueCapacity = queueCapacity ?? 8192,
            LifecycleEvents = lifecycleEvents,
            WriteDeadline = TimeSpan.FromSeconds(1),
            InstanceLease = lease ?? TimeSpan.Zero,
        }).BuildServiceProvider();

    /// <summary>By two replicas at once, which must take different rows.</summary>
    public override Task AddUsageUpAsync() =>
        Task.WhenAll(Services.GetRequiredService<UsageFold>().FoldAsync(default), Services.GetRequiredService<UsageFold>().FoldAsync(default));

    /// <summary>The server is shared with tests that hold transactions open, and its snapshots see those of every database.</summary>
    public override async Task UntilRelayableAsync()
    {
        for (var tries = 0; !await ScalarAsync<bool>("SELECT bool_and(xid < pg_snapshot_xmin(pg_current_snapshot())) FROM outbox"); tries++)
        {
            Assert.True(tries < 3000, "a transaction has been open for longer than any test takes");
            await Task.Delay(10);
        }
    }

    public override async Task<IReadOnlyList<OutboxMessage>> OutboxAsync()
    {
        List<OutboxMessage> messages = [];
        await using var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand($"SELECT o.seq, o.event_id, o.type, o.body, o.created_at, o.xid, {RecordedEvent.Columns} FROM outbox o LEFT JOIN audit_records r ON {RecordedEvent.IsToldBy} ORDER BY o.xid, o.seq", connection);
        var recorded = new RecordedEvent();
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            messages.Add(new OutboxMessage(
                reader.GetInt64(0), reader.GetGuid(1), reader.GetString(2), recorded.Body(reader, PostgresValues.Instance, reader.GetGuid(1), reader.GetString(2), own: 3, record: 6), reader.GetFieldValue<DateTimeOffset>(4), reader.GetFieldValue<ulong>(5)));
        }

        return messages;
    }

    public override Task<long> CountAsync(string table) => ScalarAsync<long>($"SELECT count(*) FROM {table}");

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public override Task TamperAsync(string sql) => ExecuteAsync($"SET session_replication_role = replica; {sql}");

    public override Task RefuseRecordsOfAsync(string project) => ExecuteAsync($"ALTER TABLE audit_records ADD CONSTRAINT refused CHECK (project <> '{project}')");

    public Task ExecuteAsync(string sql) => Server.ExecuteAsync(Database, sql);

    public async Task<NpgsqlConnection> ConnectAsync()
    {
        var connection = new NpgsqlConnection(Server.ConnectionString(Database) + ";Pooling=false");
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>Somebody's lock on what the journal writes to; it is shorter than the journal's patience if it is let go in time.</summary>
    public override async Task<IAsyncDisposable> HoldAsync()
    {
        var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand("BEGIN; LOCK TABLE admissions, settlements, checkpoints IN ACCESS EXCLUSIVE MODE", connection);
        await command.ExecuteNonQueryAsync();
        return connection;
    }

    /// <summary>Heartbeats too: the journal proves itself with one before it takes anything again.</summary>
    public override async Task<IAsyncDisposable> BreakAsync()
    {
        var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand("BEGIN; LOCK TABLE admissions, settlements, checkpoints, instances IN ACCESS EXCLUSIVE MODE", connection);
        await command.ExecuteNonQueryAsync();
        return connection;
    }

    public override async Task<JournalUnderTest> AfterCrashAsync(Guid? instanceId = null) =>
        await OpenAsync(Server, await Server.CopyDatabaseAsync(Database), instanceId: instanceId);

    public override async ValueTask DisposeAsync()
    {
        if (!_disposed)
        {
            _disposed = true;
            await Services.GetRequiredService<PostgresJournal>().DisposeAsync();
            await Services.GetRequiredService<PostgresDatabase>().DisposeAsync();
        }
    }

    private static async Task<string> MakeTemplateAsync()
    {
        var server = await PostgresServer.SharedAsync();
        var database = await server.NewDatabaseAsync();
        await using (var services = Build(server, database))
        {
            await services.GetRequiredService<StorageMigrator>().MigrateAsync();
        }

        NpgsqlConnection.ClearAllPools();
        return database;
    }
}
