using System.Text;
using Npgsql;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Postgres;

/// <summary>Reads settlements from the primary: a replica may show one settlement and not an earlier one.</summary>
internal sealed class PostgresUsageLedger(PostgresDatabase database) : IUsageLedger
{
    private const string Sums =
        "count(*), sum(input_uncached)::bigint, sum(cache_read)::bigint, sum(cache_write)::bigint, sum(output)::bigint, sum(reasoning)::bigint, sum(cost_nano_usd)::bigint";

    private const string RecordColumns =
        """
        request_id, tenant, project, department, user_id, key_id, operation, stream, model, deployment, provider, region, outcome, evidence, error,
        input_uncached, cache_read, cache_write, output, reasoning, cost_nano_usd, price_id, attempts, accepted_at, settled_at, time_to_first_token_us, duration_us
        """;

    private static readonly (UsageGrouping Flag, string Column, string Nothing)[] _groupings =
    [
        (UsageGrouping.Day, "day", "NULL::date"), (UsageGrouping.Project, "project", "NULL::text"),
        (UsageGrouping.Model, "model", "NULL::text"), (UsageGrouping.Key, "key_id", "NULL::text"),
    ];

    public async Task<IReadOnlyList<UsageTotal>> SummariseAsync(UsageFilter filter, UsageGrouping by, CancellationToken cancel)
    {
        var keys = string.Join(", ", _groupings.Where(one => by.HasFlag(one.Flag)).Select(one => one.Column));
        var columns = string.Join(", ", _groupings.Select(one => by.HasFlag(one.Flag) ? one.Column : one.Nothing));
        await using var command = database.Pool.CreateCommand();
        var where = new FilterClause(command, filter);
        command.CommandText = keys.Length == 0
            ? $"SELECT {columns}, {Sums} FROM settlements WHERE {where} HAVING count(*) > 0"
            : $"SELECT {columns}, {Sums} FROM settlements WHERE {where} GROUP BY {keys} ORDER BY {keys}";
        await using var reader = await ReadAsync(command, cancel);
        List<UsageTotal> totals = [];
        while (await reader.ReadAsync(cancel))
        {
            totals.Add(new UsageTotal(
                reader.IsDBNull(0) ? null : reader.GetFieldValue<DateOnly>(0),
                reader.TextOrNull(2), reader.TextOrNull(3), reader.TextOrNull(1),
                reader.GetInt64(4), reader.Tokens(5), reader.GetInt64(10)));
        }

        return totals;
    }

    public async Task<UsagePage> PageAsync(UsageFilter filter, string? cursor, int limit, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        var after = cursor is null ? (UsageCursor?)null : UsageCursor.Parse(cursor);
        await using var command = database.Pool.CreateCommand();
        var clause = new FilterClause(command, filter);
        var where = new StringBuilder(clause.ToString());
        if (after is { } place)
        {
            where.Append(" AND (accepted_at, request_id) < (").Append(clause.Parameter(place.AcceptedAt.UtcDateTime)).Append(", ").Append(clause.Parameter(place.RequestId)).Append(')');
        }

        // One more than asked for tells whether there is a next page.
        command.CommandText = $"SELECT {RecordColumns} FROM settlements WHERE {where} ORDER BY accepted_at DESC, request_id DESC LIMIT {clause.Parameter(limit + 1L)}";
        await using var reader = await ReadAsync(command, cancel);
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
        await using var command = database.Pool.CreateCommand(
            """
            SELECT tenant, project, user_id, key_id, sum(input_uncached + cache_read + cache_write + output)::bigint, sum(cost_nano_usd)::bigint
            FROM settlements WHERE settled_at >= $1 GROUP BY tenant, project, user_id, key_id
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = from.UtcDateTime });
        await using var reader = await ReadAsync(command, cancel);
        List<BudgetSpend> spends = [];
        while (await reader.ReadAsync(cancel))
        {
            spends.Add(new BudgetSpend(reader.GetString(0), reader.GetString(1), reader.TextOrNull(2), reader.GetString(3), reader.GetInt64(4), reader.GetInt64(5)));
        }

        return spends;
    }

    private async Task<NpgsqlDataReader> ReadAsync(NpgsqlCommand command, CancellationToken cancel)
    {
        try
        {
            return await command.ExecuteReaderAsync(cancel);
        }
        catch (NpgsqlException cause)
        {
            throw database.Explain(cause)!;
        }
    }

    private static UsageRecord ReadRecord(NpgsqlDataReader reader) => new()
    {
        RequestId = reader.GetGuid(0),
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
