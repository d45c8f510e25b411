using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace TokenFactory.Storage.Sqlite;

/// <summary>The schema in the file. Its turn is a lock on a file beside it, which the operating system gives back.</summary>
internal sealed class SqliteSchemaHome(SqliteFile file, TimeProvider clock) : ISchemaHome
{
    public string Name => file.FilePath;

    public bool Exists => File.Exists(file.FilePath);

    public async Task<IAsyncDisposable> TakeTurnAsync(DbContext context, CancellationToken cancel)
    {
        file.Prepare();
        return new Turn(await FileLock.TakeAsync(Path.Combine(file.Directory, "migrate.lock"), clock, cancel));
    }

    /// <summary>
    /// EF Core's own lock is a row, which a process killed in the middle leaves behind, and the next start would wait for ever.
    /// Whoever holds ours knows that its holder is dead.
    /// </summary>
    public Task BeforeAsync(DbContext context, CancellationToken cancel) =>
        context.Database.ExecuteSqlRawAsync("DROP TABLE IF EXISTS \"__EFMigrationsLock\"", cancel);

    public Task<IReadOnlyList<string>> AfterAsync(CancellationToken cancel) => Task.FromResult<IReadOnlyList<string>>([]);

    public StorageException? Explain(Exception cause) => cause is SqliteException failure ? file.Explain(failure) : null;

    private sealed class Turn(FileLock held) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            held.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
