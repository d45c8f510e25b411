using TokenFactory.Storage.Sqlite;

namespace TokenFactory.Storage.Outbox;

/// <summary>For operators, in the serving process or beside it: what was parked and why, and trying it again.</summary>
public sealed class DeadLetters
{
    private readonly SqliteFile _file;
    private readonly TimeProvider _clock;

    internal DeadLetters(SqliteFile file, TimeProvider clock)
    {
        _file = file;
        _clock = clock;
    }

    /// <summary>The newest first; of every sink when <paramref name="sink"/> is null.</summary>
    public async Task<IReadOnlyList<DeadLetter>> ListAsync(string? sink, int limit, CancellationToken cancel = default)
    {
        using var connection = _file.Open();
        using var command = connection.CreateCommand();
        command.CommandText =
            """
            SELECT sink, event_id, type, attempts, error, parked_at, replay_at IS NOT NULL, body FROM dead_letters
            WHERE @sink IS NULL OR sink = @sink ORDER BY parked_at DESC, event_id DESC LIMIT @limit
            """;
        command.Parameters.AddWithValue("@sink", (object?)sink ?? DBNull.Value);
        command.Parameters.AddWithValue("@limit", limit);
        using var reader = await command.ExecuteReaderAsync(cancel);
        List<DeadLetter> letters = [];
        while (await reader.ReadAsync(cancel))
        {
            letters.Add(new DeadLetter(
                reader.GetString(0), reader.Id(1), reader.GetString(2), reader.GetInt32(3), reader.GetString(4), reader.Time(5), reader.GetBoolean(6),
                reader.GetFieldValue<byte[]>(7)));
        }

        return letters;
    }

    /// <summary>Asks the sink's relay to try again: one event, or with null all of the sink's.</summary>
    /// <returns>How many will be tried.</returns>
    public async Task<int> ReplayAsync(string sink, Guid? eventId, CancellationToken cancel = default)
    {
        using var connection = _file.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "UPDATE dead_letters SET replay_at = @now WHERE sink = @sink AND (@id IS NULL OR event_id = @id)";
        command.Parameters.AddWithValue("@now", Micros.Of(_clock.GetUtcNow()));
        command.Parameters.AddWithValue("@sink", sink);
        command.Parameters.AddWithValue("@id", (object?)eventId?.ToByteArray(bigEndian: true) ?? DBNull.Value);
        return await command.ExecuteNonQueryAsync(cancel);
    }
}
