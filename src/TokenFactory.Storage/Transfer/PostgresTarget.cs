using Npgsql;
using TokenFactory.Storage.Model;
using TokenFactory.Storage.Postgres;

namespace TokenFactory.Storage.Transfer;

/// <summary>An import's transaction.</summary>
internal sealed class PostgresTarget(NpgsqlConnection connection, NpgsqlTransaction transaction)
    : TransferTarget(connection, transaction, TransferSql.Postgres, PostgresValues.Instance)
{
    /// <summary>The lowest number of a transaction there is: whatever is written from now on, here or in a copy of this database, comes after the events of the file.</summary>
    private const ulong Before = 1;

    public override async Task<ITableWriter> OpenAsync(TransferTable table, CancellationToken cancel)
    {
        if (table.Name == TransferPlan.Version)
        {
            await ExecuteAsync($"DELETE FROM {table.Name}", cancel);
        }

        return table.Name switch
        {
            TransferPlan.Cursors => new Cursors(this, table),
            TransferPlan.Outbox => new PostgresCopy(connection, table, table.Name)
            {
                Added = [("seq", static place => place), ("xid", static _ => Before)],
                Periods = new PostgresPeriods(connection, table.Name, "event_id", isDaily: true),
                Afterwards = ContinueAsync,
            },
            TransferPlan.Letters => new PostgresCopy(connection, table, table.Name) { Added = [("seq", static place => place)] },
            TransferPlan.Instances => new PostgresCopy(connection, table, table.Name) { Added = [("heartbeat_at", static _ => DateTime.UnixEpoch)] },

            // Folded at once: a day's groups get their ids where they always do.
            TransferPlan.Days => new PostgresCopy(connection, table, UsageFold.Deltas) { Afterwards = (_, stop) => UsageFold.FoldAllAsync(connection, stop) },
            "admissions" or "settlements" => new PostgresCopy(connection, table, table.Name)
            {
                Periods = new PostgresPeriods(connection, table.Name, "request_id", isDaily: false),
            },
            AuditTables.Records => new PostgresCopy(connection, table, table.Name)
            {
                Periods = new PostgresPeriods(connection, table.Name, "record_id", isDaily: false),
            },
            _ => new PostgresCopy(connection, table, table.Name),
        };
    }

    private async Task ContinueAsync(long places, CancellationToken cancel) =>
        await ExecuteAsync($"SELECT setval('{PostgresTables.OutboxSequence}', {Math.Max(1, places)}, {(places > 0 ? "true" : "false")})", cancel);

    /// <summary>A cursor's place is that of the last event it passed. Few rows.</summary>
    private sealed class Cursors(PostgresTarget target, TransferTable table) : ITableWriter
    {
        private const string Sql =
            """
            INSERT INTO sink_cursors (sink, moved_at, xid, seq)
            SELECT $1, $2, coalesce(o.xid, '0'), coalesce(o.seq, 0) FROM (SELECT 1) AS one LEFT JOIN outbox o ON o.event_id = $3
            """;

        public async ValueTask WriteAsync(object?[] row, CancellationToken cancel)
        {
            await using var insert = (NpgsqlCommand)target.Command(Sql);
            insert.Parameters.Add(new NpgsqlParameter { Value = Of("sink") });
            insert.Parameters.Add(new NpgsqlParameter { Value = ((DateTimeOffset)Of("moved_at")!).UtcDateTime });
            insert.Parameters.Add(new NpgsqlParameter { Value = Of(TransferPlan.Delivered) ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid });
            await insert.ExecuteNonQueryAsync(cancel);

            object? Of(string column) => row[table.IndexOf(column)];
        }

        public Task CompleteAsync(CancellationToken cancel) => Task.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
