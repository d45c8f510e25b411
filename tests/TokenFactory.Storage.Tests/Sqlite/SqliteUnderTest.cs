using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Sqlite;
using TokenFactory.TestKit.Contracts;

namespace TokenFactory.Storage.Tests.Sqlite;

/// <summary>The embedded store on a real file.</summary>
internal sealed class SqliteUnderTest : StoreUnderTest
{
    private readonly TemporaryDirectory _directory;
    private bool _disposed;

    private SqliteUnderTest(TemporaryDirectory directory, ServiceProvider services, Guid instanceId)
        : base(services, instanceId) => _directory = directory;

    public TemporaryDirectory Home => _directory;

    public static async Task<SqliteUnderTest> OpenAsync(
        TemporaryDirectory? directory = null, int? queueCapacity = null, Guid? instanceId = null, TimeProvider? clock = null, TimeSpan? busy = null, bool lifecycleEvents = false)
    {
        var home = directory ?? new TemporaryDirectory();
        var id = instanceId ?? Ids.New(TimeProvider.System);
        var services = Build(home.Path, id, queueCapacity, clock, busy, lifecycleEvents);
        await services.GetRequiredService<StorageMigrator>().MigrateAsync();
        await services.GetRequiredService<SqliteJournal>().OpenAsync();
        return new SqliteUnderTest(home, services, id);
    }

    public static ServiceProvider Build(string directory, Guid? instanceId = null, int? queueCapacity = null, TimeProvider? clock = null, TimeSpan? busy = null, bool lifecycleEvents = false) =>
        new ServiceCollection().AddSingleton(clock ?? TimeProvider.System).AddSqliteStorage(new SqliteStorageOptions
        {
            DataDirectory = directory,
            InstanceId = instanceId ?? Ids.New(TimeProvider.System),
            QueueCapacity = queueCapacity ?? 8192,
            LifecycleEvents = lifecycleEvents,
            BusyTimeout = busy ?? TimeSpan.FromSeconds(1),
        }).BuildServiceProvider();

    public override Task TamperAsync(string sql) => ExecuteAsync(sql);

    public override Task RefuseRecordsOfAsync(string project) =>
        ExecuteAsync($"CREATE TRIGGER refused BEFORE INSERT ON audit_records WHEN new.project = '{project}' BEGIN SELECT RAISE(ABORT, 'refused'); END");

    public async Task ExecuteAsync(string sql)
    {
        await using var connection = Services.GetRequiredService<SqliteFile>().Open();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }

    public override async Task<IReadOnlyList<OutboxMessage>> OutboxAsync() => (await Outbox.ReadAsync("a sink that never moved", int.MaxValue, default)).Messages;

    public override async Task<long> CountAsync(string table)
    {
        await using var connection = Services.GetRequiredService<SqliteFile>().Open();
        await using var command = connection.CreateCommand();
        command.CommandText = $"SELECT count(*) FROM {table}";
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Another process' write transaction, shorter than the journal's patience if it is let go in time.</summary>
    public override Task<IAsyncDisposable> HoldAsync()
    {
        var connection = Services.GetRequiredService<SqliteFile>().Open();
        return Task.FromResult<IAsyncDisposable>(new Hold(connection, connection.BeginTransaction()));
    }

    public override Task<IAsyncDisposable> BreakAsync() => HoldAsync();

    /// <summary>Copies the database and then its log, as they are while the writer goes on: what a killed process leaves.</summary>
    public override async Task<JournalUnderTest> AfterCrashAsync(Guid? instanceId = null)
    {
        var copy = new TemporaryDirectory();

        // A read transaction keeps the log from being folded back between the two copies; the writer is not held up by it.
        await using var connection = Services.GetRequiredService<SqliteFile>().Open();
        await using var reading = connection.BeginTransaction(deferred: true);
        await using (var command = connection.CreateCommand())
        {
            command.Transaction = reading;
            command.CommandText = "SELECT count(*) FROM admissions";
            await command.ExecuteScalarAsync();
        }

        foreach (var name in new[] { SqliteFile.Name, SqliteFile.Name + "-wal" })
        {
            await using var from = new FileStream(_directory.File(name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            await using var to = File.Create(copy.File(name));
            await from.CopyToAsync(to);
        }

        return await OpenAsync(copy, instanceId: instanceId);
    }

    /// <summary>Leaves the directory, for opening it again.</summary>
    public async Task CloseAsync()
    {
        if (!_disposed)
        {
            _disposed = true;
            await Services.GetRequiredService<SqliteJournal>().DisposeAsync();
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await CloseAsync();
        _directory.Dispose();
    }

    private sealed class Hold(SqliteConnection connection, SqliteTransaction transaction) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await transaction.DisposeAsync();
            await connection.DisposeAsync();
        }
    }
}
