using Npgsql;
using TokenFactory.Storage.Outbox;

namespace TokenFactory.Storage.Postgres;

/// <summary>
/// The outbox in the database, for any number of replicas: whoever holds a sink's cursor row for the moment serves the sink. A
/// replica that dies, or is slower than its lease, is followed by another, and events may then come twice with the same bytes.
/// </summary>
internal sealed class PostgresOutbox(PostgresDatabase database, PostgresStorageOptions options, OutboxSignal signal, OutboxDays days) : IOutbox
{
    /// <summary>Takes or renews the sink's lease, unless another replica has it or is just taking it.</summary>
    private const string LeaseSql =
        """
        UPDATE sink_cursors SET leased_by = $2, leased_until = now() + $3
        WHERE sink = (SELECT sink FROM sink_cursors WHERE sink = $1 AND (leased_by = $2 OR leased_until IS NULL OR leased_until < now()) FOR UPDATE SKIP LOCKED)
        RETURNING xid, seq
        """;

    /// <summary>
    /// In the order of transactions that no open one can come before any more: sequence numbers alone are given before the commit,
    /// and a reader that passed a late one would never see it.
    /// </summary>
    private const string ReadSql =
        $"""
        SELECT o.seq, o.event_id, o.type, o.body, o.created_at, o.xid, {RecordedEvent.Columns} FROM outbox o
        LEFT JOIN LATERAL (SELECT * FROM audit_records r WHERE {RecordedEvent.IsToldBy} LIMIT 1) AS r ON true
        WHERE (o.xid, o.seq) > ($1, $2) AND o.xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY o.xid, o.seq LIMIT $3
        """;

    /// <summary>The oldest event counts here though an open transaction holds it back: that lag is the one nobody sees otherwise.</summary>
    private const string TotalsSql =
        """
        SELECT (SELECT last_value FROM outbox_seq), (SELECT count(*) FROM dead_letters WHERE sink = $1), oldest.seq, oldest.created_at
        FROM (SELECT 1) AS one LEFT JOIN LATERAL (SELECT seq, created_at FROM outbox WHERE (xid, seq) > ($2, $3) ORDER BY xid, seq LIMIT 1) AS oldest ON true
        """;

    /// <summary>Only forward, and only by the holder; while nobody holds it, by anyone.</summary>
    private const string MoveSql =
        """
        INSERT INTO sink_cursors (sink, xid, seq, moved_at) VALUES ($1, $2, $3, now())
        ON CONFLICT (sink) DO UPDATE SET xid = excluded.xid, seq = excluded.seq, moved_at = now(),
          leased_until = CASE WHEN sink_cursors.leased_by = $4 THEN now() + $5 ELSE sink_cursors.leased_until END
        WHERE (excluded.xid, excluded.seq) > (sink_cursors.xid, sink_cursors.seq)
          AND (sink_cursors.leased_by = $4 OR sink_cursors.leased_until IS NULL OR sink_cursors.leased_until < now())
        """;

    private const string ParkSql =
        """
        INSERT INTO dead_letters (sink, event_id, seq, type, body, attempts, error, parked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, now())
        ON CONFLICT (sink, event_id) DO UPDATE SET attempts = excluded.attempts, error = excluded.error
        """;

    public Task NextCommit => signal.Next;

    public async Task<OutboxBatch> ReadAsync(string sink, int limit, CancellationToken cancel)
    {
        await using var connection = await database.Pool.OpenConnectionAsync(cancel);
        if (await LeaseAsync(connection, sink, cancel) is not var (transaction, seq))
        {
            return new OutboxBatch([], 0, null, 0);
        }

        await using var read = new NpgsqlCommand(ReadSql, connection);
        read.Parameters.Add(transaction, seq, (long)limit);
        var messages = await MessagesAsync(read, cancel);

        // Numbers are given in order and almost without gaps, so the distance is close to the count, and costs nothing.
        await using var totals = new NpgsqlCommand(TotalsSql, connection);
        totals.Parameters.Add(sink, transaction, seq);
        await using var reader = await totals.ExecuteReaderAsync(cancel);
        await reader.ReadAsync(cancel);
        var waiting = reader.IsDBNull(2) ? 0 : Math.Max(messages.Count, reader.GetInt64(0) - reader.GetInt64(2) + 1);
        return new OutboxBatch(messages, waiting, reader.IsDBNull(3) ? null : reader.GetFieldValue<DateTimeOffset>(3), reader.GetInt64(1));
    }

    public async Task LeaveAsync(string sink)
    {
        await using var command = database.Pool.CreateCommand("UPDATE sink_cursors SET leased_by = NULL, leased_until = NULL WHERE sink = $1 AND leased_by = $2");
        command.Parameters.Add(sink, options.InstanceId);
        await command.ExecuteNonQueryAsync();
    }

    public async Task AdvanceAsync(string sink, OutboxMessage last)
    {
        await using var command = database.Pool.CreateCommand(MoveSql);
        AddMove(command.Parameters, sink, last);
        await command.ExecuteNonQueryAsync();
    }

    public async Task ParkAsync(string sink, OutboxMessage message, int attempts, string error)
    {
        await using var batch = database.Pool.CreateBatch();
        var (park, move) = (new NpgsqlBatchCommand(ParkSql), new NpgsqlBatchCommand(MoveSql));
        park.Parameters.Add(sink, message.EventId, message.Seq, message.Type, message.Body.ToArray(), attempts, error);
        AddMove(move.Parameters, sink, message);
        batch.BatchCommands.Add(park);
        batch.BatchCommands.Add(move);
        await batch.ExecuteNonQueryAsync();
    }

    public async Task<IReadOnlyList<OutboxMessage>> ReadReplaysAsync(string sink, int limit, CancellationToken cancel)
    {
        await using var command = database.Pool.CreateCommand(
            $"""
            SELECT o.seq, o.event_id, o.type, o.body, o.parked_at, '0'::xid8, {RecordedEvent.Columns} FROM dead_letters o
            LEFT JOIN LATERAL (SELECT * FROM audit_records r WHERE {RecordedEvent.IsToldBy} LIMIT 1) AS r ON true
            WHERE o.sink = $1 AND o.replay_at IS NOT NULL AND EXISTS (SELECT 1 FROM sink_cursors c WHERE c.sink = $1 AND c.leased_by = $2 AND c.leased_until > now())
            ORDER BY o.parked_at, o.seq LIMIT $3
            """);
        command.Parameters.Add(sink, options.InstanceId, (long)limit);
        return await MessagesAsync(command, cancel);
    }

    public async Task EndReplayAsync(string sink, Guid eventId, string? error)
    {
        await using var command = database.Pool.CreateCommand(error is null
            ? "DELETE FROM dead_letters WHERE sink = $1 AND event_id = $2"
            : "UPDATE dead_letters SET replay_at = NULL, attempts = attempts + 1, error = $3 WHERE sink = $1 AND event_id = $2");
        command.Parameters.Add(sink, eventId);
        if (error is not null)
        {
            command.Parameters.Add([error]);
        }

        await command.ExecuteNonQueryAsync();
    }

    public Task<int> TrimAsync(IReadOnlyCollection<string> sinks) => days.DropOldestAsync(sinks);

    /// <returns>Where the sink stands; null while another replica serves it.</returns>
    private async Task<(ulong Transaction, long Seq)?> LeaseAsync(NpgsqlConnection connection, string sink, CancellationToken cancel)
    {
        for (var attempt = 0; attempt < 2; attempt++)
        {
            await using var lease = new NpgsqlCommand(LeaseSql, connection);
            lease.Parameters.Add(sink, options.InstanceId, options.SinkLease);
            await using (var reader = await lease.ExecuteReaderAsync(cancel))
            {
                if (await reader.ReadAsync(cancel))
                {
                    return (reader.GetFieldValue<ulong>(0), reader.GetInt64(1));
                }
            }

            await using var start = new NpgsqlCommand("INSERT INTO sink_cursors (sink, xid, seq, moved_at) VALUES ($1, '0', 0, now()) ON CONFLICT (sink) DO NOTHING", connection)
            {
                Parameters = { new() { Value = sink } },
            };
            if (await start.ExecuteNonQueryAsync(cancel) == 0)
            {
                return null;
            }
        }

        return null;
    }

    private void AddMove(NpgsqlParameterCollection parameters, string sink, OutboxMessage last) =>
        parameters.Add(sink, last.Transaction, last.Seq, options.InstanceId, options.SinkLease);

    private static async Task<IReadOnlyList<OutboxMessage>> MessagesAsync(NpgsqlCommand command, CancellationToken cancel)
    {
        var recorded = new RecordedEvent();
        await using var reader = await command.ExecuteReaderAsync(cancel);
        List<OutboxMessage> messages = [];
        while (await reader.ReadAsync(cancel))
        {
            var (id, type) = (reader.GetGuid(1), reader.GetString(2));
            messages.Add(new OutboxMessage(
                reader.GetInt64(0), id, type, recorded.Body(reader, PostgresValues.Instance, id, type, own: 3, record: 6), reader.GetFieldValue<DateTimeOffset>(4), reader.GetFieldValue<ulong>(5)));
        }

        return messages;
    }
}
