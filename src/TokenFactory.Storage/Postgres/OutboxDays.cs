using System.Globalization;
using Npgsql;

namespace TokenFactory.Storage.Postgres;

/// <summary>The outbox's retention: a day that is old and behind every sink is detached and dropped, and costs no delete.</summary>
internal sealed class OutboxDays(PostgresDatabase database, PostgresStorageOptions options, TimeProvider clock)
{
    private const string Prefix = "outbox_p";

    /// <returns>How many days were dropped: one or none.</returns>
    public async Task<int> DropOldestAsync(IReadOnlyCollection<string> sinks)
    {
        await using var connection = await database.Pool.OpenConnectionAsync();
        if (await OldestAsync(connection) is not { } day || await HoldsWaitingAsync(connection, day, sinks))
        {
            return 0;
        }

        // Detaching needs the whole table for an instant. Requests wait behind it, so it gives up early and tries again later.
        await using var transaction = await connection.BeginTransactionAsync();
        await using var drop = new NpgsqlCommand($"SET LOCAL lock_timeout = '200ms'; ALTER TABLE outbox DETACH PARTITION {day}; DROP TABLE {day}", connection, transaction);
        await drop.ExecuteNonQueryAsync();
        await transaction.CommitAsync();
        return 1;
    }

    /// <summary>By its name, which is made of its day; a table of another name is not ours to drop.</summary>
    private async Task<string?> OldestAsync(NpgsqlConnection connection)
    {
        // An event may be written up to a request's longest life after its id was made; retention is far longer.
        var bound = clock.GetUtcNow().UtcDateTime.Date - options.OutboxRetention;
        await using var command = new NpgsqlCommand("SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'outbox'::regclass ORDER BY c.relname", connection);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var name = reader.GetString(0);
            if (name.StartsWith(Prefix, StringComparison.Ordinal)
                && DateTime.TryParseExact(name.AsSpan(Prefix.Length), "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
                && day < bound)
            {
                return name;
            }
        }

        return null;
    }

    /// <summary>A sink that never moved holds everything back; one that is no longer configured holds nothing.</summary>
    private static async Task<bool> HoldsWaitingAsync(NpgsqlConnection connection, string day, IReadOnlyCollection<string> sinks)
    {
        await using var command = new NpgsqlCommand(
            $"""
            SELECT EXISTS (SELECT 1 FROM unnest($1) AS wanted(sink) LEFT JOIN sink_cursors c ON c.sink = wanted.sink
              WHERE EXISTS (SELECT 1 FROM {day} d WHERE (d.xid, d.seq) > (coalesce(c.xid, '0'), coalesce(c.seq, 0))))
            """,
            connection);
        command.Parameters.Add([sinks.ToArray()]);
        return (bool)(await command.ExecuteScalarAsync())!;
    }
}
