using System.Data.Common;
using System.Text;

namespace TokenFactory.Storage.Ledger;

/// <summary>
/// Reads the ledger in one SQL that both databases speak. Summaries come from the daily totals, which are written with the settlements
/// they add up, and so cost what they show and not what was settled.
/// </summary>
/// <param name="dailyTotals">The tables and views that hold the daily totals, each with the columns of <c>usage_days</c>.</param>
internal sealed class UsageLedger(StoreReader store, IReadOnlyList<string> dailyTotals) : IUsageLedger
{
    private const string RecordColumns =
        """
        s.request_id, s.tenant, s.project, s.department, s.user_id, s.key_id, s.operation, s.stream, s.model, s.deployment, s.provider, s.region,
        s.outcome, s.evidence, s.error, s.input_uncached + coalesce(a.input_uncached, 0), s.cache_read + coalesce(a.cache_read, 0),
        s.cache_write + coalesce(a.cache_write, 0), s.output + coalesce(a.output, 0), s.reasoning + coalesce(a.reasoning, 0),
        s.cost_nano_usd + coalesce(a.cost_nano_usd, 0), s.price_id, s.attempts, s.accepted_at, s.settled_at, s.time_to_first_token_us, s.duration_us,
        a.request_id IS NOT NULL
        """;

    private const string Summed = "day, project, model, key_id, input_uncached, cache_read, cache_write, output, reasoning, cost_nano_usd";

    private const string Spent = "input_uncached, cache_read, cache_write, output, cost_nano_usd";

    private static readonly string _sums = string.Join(", ", ((string[])["requests", "input_uncached", "cache_read", "cache_write", "output", "reasoning", "cost_nano_usd"]).Select(Sum));

    private static readonly (UsageGrouping Flag, string Column)[] _groupings =
        [(UsageGrouping.Day, "day"), (UsageGrouping.Project, "project"), (UsageGrouping.Model, "model"), (UsageGrouping.Key, "key_id")];

    private readonly StoredValues _values = store.Values;

    public async Task<IReadOnlyList<UsageTotal>> SummariseAsync(UsageFilter filter, UsageGrouping by, CancellationToken cancel)
    {
        var keys = string.Join(", ", _groupings.Where(one => by.HasFlag(one.Flag)).Select(one => one.Column));
        var columns = string.Join(", ", _groupings.Select(one => by.HasFlag(one.Flag) ? one.Column : "NULL"));
        return await store.ReadAsync(
            filter.Tenant,
            command =>
            {
                var source = Source(new FilterClause(command, _values, filter), filter);
                return keys.Length == 0
                    ? $"SELECT {columns}, {_sums} FROM ({source}) AS total HAVING sum(requests) > 0"
                    : $"SELECT {columns}, {_sums} FROM ({source}) AS total GROUP BY {keys} ORDER BY {keys}";
            },
            reader => new UsageTotal(
                reader.IsDBNull(0) ? null : _values.Day(reader, 0),
                reader.TextOrNull(2), reader.TextOrNull(3), reader.TextOrNull(1),
                reader.GetInt64(4), reader.Tokens(5), reader.GetInt64(10)),
            int.MaxValue, cancel);
    }

    public async Task<UsagePage> PageAsync(UsageFilter filter, string? cursor, int limit, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        var after = cursor is null ? (UsageCursor?)null : UsageCursor.Parse(cursor);
        var records = await store.ReadAsync(
            filter.Tenant,
            command =>
            {
                var clause = new FilterClause(command, _values, filter);
                var where = new StringBuilder(clause.Times((filter.From, after is { } last ? last.Until(filter.Until) : filter.Until)));
                if (after is { } place)
                {
                    where.Append(" AND (accepted_at, request_id) < (").Append(clause.Parameter(_values.Of(place.AcceptedAt)))
                        .Append(", ").Append(clause.Parameter(_values.Of(place.RequestId))).Append(')');
                }

                return $"""
                    SELECT {RecordColumns}
                    FROM (SELECT * FROM settlements WHERE {where} ORDER BY accepted_at DESC, request_id DESC LIMIT {clause.Parameter(limit + 1L)}) AS s
                    LEFT JOIN adjustments a ON a.request_id = s.request_id ORDER BY s.accepted_at DESC, s.request_id DESC
                    """;
            },
            Record, limit + 1, cancel);

        // One more than asked for tells whether there is a next page.
        return records.Count > limit
            ? new UsagePage(records[..limit], UsageCursor.After(records[limit - 1]).ToString())
            : new UsagePage(records, null);
    }

    public async Task<IReadOnlyList<BudgetSpend>> SpendSinceAsync(DateTimeOffset from, CancellationToken cancel) => await store.ReadAsync(
        tenant: null,
        command =>
        {
            command.Parameters.Add(_values.Parameter("$1", _values.Of(from)));
            return $"""
                SELECT tenant, project, user_id, key_id, {Sum("input_uncached + cache_read + cache_write + output")}, {Sum("cost_nano_usd")}
                FROM (SELECT tenant, project, user_id, key_id, {Spent} FROM settlements WHERE settled_at >= $1
                      UNION ALL SELECT tenant, project, user_id, key_id, {Spent} FROM adjustments WHERE adjusted_at >= $1) AS spend
                GROUP BY tenant, project, user_id, key_id
                """;
        },
        reader => new BudgetSpend(reader.GetString(0), reader.GetString(1), reader.TextOrNull(2), reader.GetString(3), reader.GetInt64(4), reader.GetInt64(5)),
        int.MaxValue, cancel);

    /// <summary>PostgreSQL adds whole numbers up to one of any size, which no reader expects.</summary>
    private static string Sum(string what) => $"CAST(sum({what}) AS bigint)";

    /// <summary>Settlements count one each, adjustments only correct them; whole days are counted already.</summary>
    private string Source(FilterClause clause, UsageFilter filter)
    {
        var spans = UsageSpans.Of(filter.From, filter.Until);
        var parts = spans.Edges.Select(edge => clause.Times(edge)).SelectMany(where => (string[])
        [
            $"SELECT 1 AS requests, {Summed} FROM settlements WHERE {where}", $"SELECT 0 AS requests, {Summed} FROM adjustments WHERE {where}",
        ]).ToList();
        if (spans.Days is { } days)
        {
            parts.AddRange(dailyTotals.Select(table => $"SELECT requests, {Summed} FROM {table} WHERE {clause.Days(days)}"));
        }

        return string.Join(" UNION ALL ", parts);
    }

    private UsageRecord Record(DbDataReader reader) => new()
    {
        RequestId = _values.Id(reader, 0),
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
        AcceptedAt = _values.Time(reader, 23),
        SettledAt = _values.Time(reader, 24),
        TimeToFirstTokenMs = reader.IsDBNull(25) ? null : reader.GetInt64(25) / 1000.0,
        DurationMs = reader.GetInt64(26) / 1000.0,
        Adjusted = reader.GetBoolean(27),
    };
}
