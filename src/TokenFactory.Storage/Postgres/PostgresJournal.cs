using Microsoft.Extensions.Logging;
using TokenFactory.Storage.Journal.Writer;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Postgres.Writer;

namespace TokenFactory.Storage.Postgres;

/// <summary>The journal in the database: one writer per process, on a connection of its own.</summary>
internal sealed class PostgresJournal(PostgresDatabase database, PostgresStorageOptions options, OutboxSignal signal, TimeProvider clock, ILogger<PostgresJournal> logger)
    : GroupJournal(new PostgresBatches(database, options, clock, logger), options.QueueCapacity, options.BatchSize, signal, clock, logger)
{
    /// <summary>Says that this instance lives.</summary>
    public Task BeatAsync() => Hand(new BeatEntry());
}
