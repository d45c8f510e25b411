using System.Text;
using Microsoft.Data.Sqlite;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Sqlite;

/// <summary>Reads settlements from the file. Readers never block the writer, nor it them.</summary>
internal sealed class SqliteUsageLedger(SqliteFile file) : IUsageLedger
{
    private const string Sums = "count(*), sum(input_uncached), sum(cache_read), sum(cache_write), sum(output), sum(reasoning), sum(cost_nano_usd)";

    private const string RecordColumns =
        """
        request_id, tenant, project, department, user_id, key_id, operation, stream, model, deployment, provider, region, outcome, evidence, error,
        input_uncached, cache_read, cache_write, output, reasoning, cost_nano_usd, price_id, attempts, accepted_at, settled_at, time_to_first_token_us, duration_us
        """;

    private static readonly (UsageGrouping Flag, string Column)[] _groupings =
        [(UsageGrouping.Day, "day"), (UsageGrouping.Project, "project"), (UsageGrouping.Model, "model"), (UsageGrouping.Key, "key_id")];

    public async Task<IReadOnlyList<UsageTotal>> SummariseAsync(UsageFilter filter, UsageGrouping by, CancellationToken cancel)
    {
        var keys = string.Join(", ", _groupings.Where(one => by.HasFlag(one.Flag)).Select(one => one.Column));
        var columns = string.Join(", ", _groupings.Select(one => by.HasFlag(one.Flag) ? one.Column : "NULL"));
        using var connection = file.Open();
        using var command = connection.CreateCommand();
        var where = new FilterClause(command, filter);
        command.CommandText = keys.Length == 0
            ? $"SELECT {columns}, {Sums} FROM settlements WHERE {where} HAVING count(*) > 0"
            : $"SELECT {columns}, {Sums} FROM settlements WHERE {where} GROUP BY {keys} ORDER BY {keys}";
        using var reader = await command.ExecuteReaderAsync(cancel);
        List<UsageTotal> totals = [];
        while (await reader.ReadAsync(cancel))
        {
            totals.Add(new UsageTotal(
                reader.IsDBNull(0) ? null : DateOnly.FromDayNumber(reader.GetInt32(0)),
                reader.TextOrNull(2), reader.TextOrNull(3), reader.TextOrNull(1),
                reader.GetInt64(4), reader.Tokens(5), reader.GetInt64(10)));
        }

        return totals;
    }

    public async Task<UsagePage> PageAsync(UsageFilter filter, string? cursor, int limit, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        var after = cursor is null ? (UsageCursor?)null : UsageCursor.Parse(cursor);
        using var connection = file.Open();
        using var command = connection.CreateCommand();
        var where = new StringBuilder(new FilterClause(command, filter).ToString());
        if (after is { } place)
        {
            where.Append(" AND (accepted_at, request_id) < (@at, @id)");
            command.Parameters.AddWithValue("@at", place.AcceptedAtMicros);
            command.Parameters.AddWithValue("@id", place.RequestId.ToByteArray(bigEndian: true));
        }

        // One more than asked for tells whether there is a next page.
        command.Parameters.AddWithValue("@limit", limit + 1L);
        command.CommandText = $"SELECT {RecordColumns} FROM settlements WHERE {where} ORDER BY accepted_at DESC, request_id DESC LIMIT @limit";
        using var reader = await command.ExecuteReaderAsync(cancel);
        List<UsageRecord> records = [];
        while (records.Count < limit && await reader.ReadAsync(cancel))
        {
            records.Add(ReadRecord(reader));
        }

        var more = records.Count == limit && await reader.ReadAsync(cancel);
        return new UsagePage(records, more ? UsageCursor.After(records[^1]).ToString() : null);
    }

    public async Task<IReadOnlyList<BudgetSpend>> SpendSinceAsync(DateTimeOffset from, CancellationToken cancel)
    {
        using var connection = file.Open();
        using var command = connection.CreateCommand();
        command.CommandText =
            """
            SELECT tenant, project, user_id, key_id, sum(input_uncached + cache_read + cache_write + output), sum(cost_nano_usd)
            FROM settlements WHERE settled_at >= @from GROUP BY tenant, project, user_id, key_id
            """;
        command.Parameters.AddWithValue("@from", Micros.Of(from));
        using var reader = await command.ExecuteReaderAsync(cancel);
        List<BudgetSpend> spends = [];
        while (await reader.ReadAsync(cancel))
        {
            spends.Add(new BudgetSpend(reader.GetString(0), reader.GetString(1), reader.TextOrNull(2), reader.GetString(3), reader.GetInt64(4), reader.GetInt64(5)));
        }

        return spends;
    }

    private static UsageRecord ReadRecord(SqliteDataReader reader) => new()
    {
        RequestId = reader.Id(0),
        Tenant = reader.GetString(1),
        Project = reader.GetString(2),
        Department = reader.TextOrNull(3),
        User = reader.TextOrNull(4),
        KeyId = reader.GetString(5),
        Operation = reader.GetString(6),
        Stream = reader.GetBoolean(7),
        Model = reader.GetString(8),
        Deployment = reader.GetString(9),
        Provider = reader.GetString(10),
        Region = reader.TextOrNull(11),
        Outcome = (Outcome)reader.GetInt32(12),
        Evidence = (Evidence)reader.GetInt32(13),
        Error = reader.TextOrNull(14),
        Tokens = reader.Tokens(15),
        CostNanoUsd = reader.GetInt64(20),
        PriceId = reader.GetString(21),
        Attempts = reader.GetInt32(22),
        AcceptedAt = reader.Time(23),
        SettledAt = reader.Time(24),
        TimeToFirstTokenMs = reader.IsDBNull(25) ? null : reader.GetInt64(25) / 1000.0,
        DurationMs = reader.GetInt64(26) / 1000.0,
    };
}
