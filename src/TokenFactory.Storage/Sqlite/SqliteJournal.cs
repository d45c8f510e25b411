using Microsoft.Extensions.Logging;
using TokenFactory.Storage.Journal.Writer;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Sqlite.Writer;

namespace TokenFactory.Storage.Sqlite;

/// <summary>The journal in the file: one writer, and everything else of this process that writes goes through it.</summary>
internal sealed class SqliteJournal(SqliteFile file, SqliteStorageOptions options, OutboxSignal signal, TimeProvider clock, ILogger<SqliteJournal> logger)
    : GroupJournal(new SqliteBatches(file, options, clock, logger), options.QueueCapacity, options.BatchSize, signal, clock, logger)
{
    /// <summary>Writes in the journal's own transactions, so that nothing else in this process competes for the file.</summary>
    public Task WriteAsync(Action<SqliteSession> work) => Hand(new WorkEntry(work));
}
