using Microsoft.Data.Sqlite;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Sqlite.Writer;

namespace TokenFactory.Storage.Sqlite;

/// <summary>The outbox in the file. It reads beside the journal's writer and writes through it.</summary>
internal sealed class SqliteOutbox(SqliteFile file, SqliteStorageOptions options, SqliteJournal journal, OutboxSignal signal, TimeProvider clock) : IOutbox
{
    /// <summary>Rows removed in one of the journal's transactions: few, because requests wait for the same commit.</summary>
    private const int TrimSize = 500;

    public Task NextCommit => signal.Next;

    public async Task<OutboxBatch> ReadAsync(string sink, int limit, CancellationToken cancel)
    {
        using var connection = file.Open();
        using var command = connection.CreateCommand();
        command.CommandText =
            $"""
            SELECT o.seq, o.event_id, o.type, o.body, o.created_at, {RecordedEvent.Columns} FROM outbox o LEFT JOIN audit_records r ON {RecordedEvent.IsToldBy}
            WHERE o.seq > coalesce((SELECT seq FROM sink_cursors WHERE sink = @sink), 0) ORDER BY o.seq LIMIT @limit
            """;
        command.Parameters.AddWithValue("@sink", sink);
        command.Parameters.AddWithValue("@limit", limit);
        var messages = await ReadMessagesAsync(command, cancel);

        // Sequence numbers have no gaps while rows wait, so the distance is the count.
        command.CommandText = "SELECT coalesce((SELECT max(seq) FROM outbox), 0), (SELECT count(*) FROM dead_letters WHERE sink = @sink)";
        using var totals = await command.ExecuteReaderAsync(cancel);
        await totals.ReadAsync(cancel);
        return new OutboxBatch(messages, messages.Count == 0 ? 0 : totals.GetInt64(0) - messages[0].Seq + 1, messages.Count == 0 ? null : messages[0].CreatedAt, totals.GetInt64(1));
    }

    public Task AdvanceAsync(string sink, OutboxMessage last) => journal.WriteAsync(session => Advance(session, sink, last.Seq));

    public Task ParkAsync(string sink, OutboxMessage message, int attempts, string error) => journal.WriteAsync(session =>
    {
        using var park = session.Connection.Prepare(
            """
            INSERT INTO dead_letters (sink, event_id, seq, type, body, attempts, error, parked_at) VALUES (?,?,?,?,?,?,?,?)
            ON CONFLICT (sink, event_id) DO UPDATE SET attempts = excluded.attempts, error = excluded.error
            """);
        park.Row().Bind(sink).Bind(message.EventId).Bind(message.Seq).Bind(message.Type).Bind(message.Body.Span)
            .Bind((long)attempts).Bind(error).Bind(clock.GetUtcNow()).Run();
        Advance(session, sink, message.Seq);
    });

    public async Task<IReadOnlyList<OutboxMessage>> ReadReplaysAsync(string sink, int limit, CancellationToken cancel)
    {
        using var connection = file.Open();
        using var command = connection.CreateCommand();
        command.CommandText =
            $"""
            SELECT o.seq, o.event_id, o.type, o.body, o.parked_at, {RecordedEvent.Columns} FROM dead_letters o LEFT JOIN audit_records r ON {RecordedEvent.IsToldBy}
            WHERE o.sink = @sink AND o.replay_at IS NOT NULL ORDER BY o.seq LIMIT @limit
            """;
        command.Parameters.AddWithValue("@sink", sink);
        command.Parameters.AddWithValue("@limit", limit);
        return await ReadMessagesAsync(command, cancel);
    }

    public Task EndReplayAsync(string sink, Guid eventId, string? error) => journal.WriteAsync(session =>
    {
        using var end = session.Connection.Prepare(error is null
            ? "DELETE FROM dead_letters WHERE sink = ?1 AND event_id = ?2"
            : "UPDATE dead_letters SET replay_at = NULL, attempts = attempts + 1, error = ?3 WHERE sink = ?1 AND event_id = ?2");
        var row = end.Row().Bind(sink).Bind(eventId);
        (error is null ? row : row.Bind(error)).Run();
    });

    public async Task<int> TrimAsync(IReadOnlyCollection<string> sinks)
    {
        var horizon = await LowestCursorAsync(sinks);
        var bound = clock.GetUtcNow() - options.OutboxRetention;
        var removed = 0;
        await journal.WriteAsync(session =>
        {
            using var trim = session.Connection.Prepare(
                """
                DELETE FROM outbox WHERE seq IN (
                  SELECT seq FROM (SELECT seq, created_at FROM outbox ORDER BY seq LIMIT ?1) WHERE created_at < ?2 AND seq <= ?3)
                """);
            removed = trim.Row().Bind((long)TrimSize).Bind(bound).Bind(horizon).Run();
        });
        return removed;
    }

    private void Advance(SqliteSession session, string sink, long seq)
    {
        using var move = session.Connection.Prepare(
            """
            INSERT INTO sink_cursors (sink, seq, moved_at) VALUES (?, ?, ?)
            ON CONFLICT (sink) DO UPDATE SET seq = excluded.seq, moved_at = excluded.moved_at WHERE excluded.seq > seq
            """);
        move.Row().Bind(sink).Bind(seq).Bind(clock.GetUtcNow()).Run();
    }

    private static async Task<IReadOnlyList<OutboxMessage>> ReadMessagesAsync(SqliteCommand command, CancellationToken cancel)
    {
        var recorded = new RecordedEvent();
        using var reader = await command.ExecuteReaderAsync(cancel);
        List<OutboxMessage> messages = [];
        while (await reader.ReadAsync(cancel))
        {
            var (id, type) = (SqliteValues.Instance.Id(reader, 1), reader.GetString(2));
            messages.Add(new OutboxMessage(reader.GetInt64(0), id, type, recorded.Body(reader, SqliteValues.Instance, id, type, own: 3, record: 5), SqliteValues.Instance.Time(reader, 4)));
        }

        return messages;
    }

    /// <summary>A sink that never moved holds everything back; one that is no longer configured holds nothing.</summary>
    private async Task<long> LowestCursorAsync(IReadOnlyCollection<string> sinks)
    {
        using var connection = file.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT coalesce((SELECT seq FROM sink_cursors WHERE sink = @sink), 0)";
        var name = command.Parameters.Add("@sink", SqliteType.Text);
        var lowest = long.MaxValue;
        foreach (var sink in sinks)
        {
            name.Value = sink;
            lowest = Math.Min(lowest, (long)(await command.ExecuteScalarAsync())!);
        }

        return lowest;
    }
}
