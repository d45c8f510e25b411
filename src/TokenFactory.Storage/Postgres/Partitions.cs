using System.Globalization;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace TokenFactory.Storage.Postgres;

/// <summary>
/// Keeps partitions ahead of the clock: months of the ledger and the audit trail, days of the outbox. A table's primary key is the UUIDv7 it is
/// partitioned by, so an id is unique over all of them. A row that no partition was made for goes to the table's default one, and
/// is moved when its own is made: nothing is ever refused for the lack of a partition.
/// </summary>
internal sealed partial class Partitions(PostgresDatabase database, TimeProvider clock, ILogger<Partitions> logger)
{
    private const int MonthsAhead = 2;
    private const int DaysAhead = 7;

    /// <summary>Makes what is missing. Without the privilege it says so and the default partitions serve.</summary>
    /// <returns>The partitions that were made.</returns>
    public async Task<IReadOnlyList<string>> MakeAsync(CancellationToken cancel = default)
    {
        await using var connection = await database.Pool.OpenConnectionAsync(cancel);
        List<string> made = [];
        foreach (var partition in Wanted(clock.GetUtcNow()))
        {
            if (await ExistsAsync(connection, partition.Name, cancel))
            {
                continue;
            }

            try
            {
                if (await MakeAsync(connection, partition, cancel))
                {
                    made.Add(partition.Name);
                }
            }
            catch (PostgresException refusal) when (refusal.SqlState == PostgresErrorCodes.InsufficientPrivilege)
            {
                Log.NotPermitted(logger, partition.Name);
                return made;
            }
        }

        return made;
    }

    /// <summary>The partition a row with an id of this moment belongs to.</summary>
    internal static Partition Of(string table, string key, bool daily, DateTimeOffset moment)
    {
        var day = new DateTimeOffset(moment.UtcDateTime.Date, TimeSpan.Zero);
        var from = daily ? day : day.AddDays(1 - day.Day);
        var name = table + from.ToString(daily ? "'_p'yyyyMMdd" : "'_p'yyyyMM", CultureInfo.InvariantCulture);
        return new Partition(table, key, name, Bound(from), Bound(daily ? from.AddDays(1) : from.AddMonths(1)));
    }

    private static IEnumerable<Partition> Wanted(DateTimeOffset now)
    {
        var month = new DateTimeOffset(now.Year, now.Month, 1, 0, 0, 0, TimeSpan.Zero);
        foreach (var table in (string[])["admissions", "settlements"])
        {
            for (var ahead = 0; ahead <= MonthsAhead; ahead++)
            {
                yield return Of(table, "request_id", daily: false, month.AddMonths(ahead));
            }
        }

        for (var ahead = 0; ahead <= MonthsAhead; ahead++)
        {
            yield return Of("audit_records", "record_id", daily: false, month.AddMonths(ahead));
        }

        for (var ahead = 0; ahead <= DaysAhead; ahead++)
        {
            yield return Of("outbox", "event_id", daily: true, now.AddDays(ahead));
        }
    }

    /// <summary>The lowest UUID of a moment: RFC 9562 puts its milliseconds into the first 48 bits.</summary>
    private static string Bound(DateTimeOffset moment)
    {
        var milliseconds = moment.ToUnixTimeMilliseconds().ToString("x12", CultureInfo.InvariantCulture);
        return $"{milliseconds[..8]}-{milliseconds[8..]}-0000-0000-000000000000";
    }

    private static async Task<bool> ExistsAsync(NpgsqlConnection connection, string name, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand("SELECT to_regclass($1) IS NOT NULL", connection) { Parameters = { new() { Value = name } } };
        return (bool)(await command.ExecuteScalarAsync(cancel))!;
    }

    /// <returns>False when another process made it meanwhile.</returns>
    private static async Task<bool> MakeAsync(NpgsqlConnection connection, Partition one, CancellationToken cancel)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await ExecuteAsync(connection, "SET LOCAL lock_timeout = '5s'; SELECT pg_advisory_xact_lock(hashtext('tokenfactory.partitions'))", cancel);
        var isMade = await EnsureAsync(connection, one, cancel);
        await transaction.CommitAsync(cancel);
        return isMade;
    }

    /// <summary>In the connection's transaction.</summary>
    /// <returns>False when it was there.</returns>
    internal static async Task<bool> EnsureAsync(NpgsqlConnection connection, Partition one, CancellationToken cancel)
    {
        if (await ExistsAsync(connection, one.Name, cancel))
        {
            return false;
        }

        // Names and bounds are made here, of constants and numbers.
        await ExecuteAsync(
            connection,
            $"""
            LOCK TABLE {one.Table}_default IN ACCESS EXCLUSIVE MODE;
            CREATE TABLE {one.Name} (LIKE {one.Table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES);
            WITH moved AS (DELETE FROM {one.Table}_default WHERE {one.Key} >= '{one.From}' AND {one.Key} < '{one.Until}' RETURNING *)
              INSERT INTO {one.Name} SELECT * FROM moved;
            ALTER TABLE {one.Table} ATTACH PARTITION {one.Name} FOR VALUES FROM ('{one.From}') TO ('{one.Until}')
            """,
            cancel);
        return true;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancel);
    }

    /// <param name="From">Inclusive.</param>
    /// <param name="Until">Exclusive.</param>
    internal sealed record Partition(string Table, string Key, string Name, string From, string Until);

    private static partial class Log
    {
        [LoggerMessage(11411, LogLevel.Warning, "The partition {Partition} is missing and this user may not make it; rows go to the default partition until 'gateway migrate' runs as the schema's owner")]
        public static partial void NotPermitted(ILogger logger, string partition);
    }
}
