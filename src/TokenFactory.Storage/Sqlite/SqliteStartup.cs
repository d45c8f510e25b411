using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TokenFactory.Storage.Journal;

namespace TokenFactory.Storage.Sqlite;

/// <summary>
/// Opens the store before anything else of the host starts and closes it after everything else stopped: claims the directory,
/// migrates, opens the journal, settles what an earlier process left open. Any failure stops the start.
/// </summary>
internal sealed partial class SqliteStartup(
    SqliteFile file, StorageMigrator migrator, SqliteJournal journal, OrphanSettler orphans, ILogger<SqliteStartup> logger) : IHostedLifecycleService, IDisposable
{
    /// <summary>Beside the database; locked by who serves it.</summary>
    public const string ClaimFile = "gateway.lock";

    private FileLock? _claim;

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        file.Prepare();
        _claim = FileLock.TryTake(Path.Combine(file.Directory, ClaimFile))
            ?? throw new StorageException($"Another gateway already serves the data directory {file.Directory}. Stop it, or choose another directory with --data.");
        foreach (var migration in await migrator.MigrateAsync(cancellationToken))
        {
            Log.Migrated(logger, migration);
        }

        await journal.OpenAsync();
        await orphans.SettleAsync(alsoOwn: true, cancellationToken);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        await journal.DisposeAsync();
        Dispose();
    }

    public void Dispose() => _claim?.Dispose();

    private static partial class Log
    {
        [LoggerMessage(11201, LogLevel.Information, "Applied migration {Migration}")]
        public static partial void Migrated(ILogger logger, string migration);
    }
}
