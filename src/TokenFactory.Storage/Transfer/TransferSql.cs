namespace TokenFactory.Storage.Transfer;

/// <summary>
/// How a table is read for a transfer: its columns as the plan has them, in an order that is the same in both stores, for the
/// checksums. What differs is only where a store keeps the order of events and a day's totals.
/// </summary>
internal sealed class TransferSql
{
    private static readonly string[] _dayGroup = ["tenant", "day", "project", "department", "user_id", "key_id", "model", "outcome"];

    public static TransferSql Sqlite { get; } = new()
    {
        Place = "seq",
        Days = "usage_days",
    };

    public static TransferSql Postgres { get; } = new()
    {
        Place = "xid, seq",
        Days = "(SELECT {0} FROM usage_days UNION ALL SELECT {0} FROM usage_deltas)",

        // The database's own order of texts is whatever it was made with.
        Bytewise = " COLLATE \"C\"",
    };

    /// <summary>Where an event stands in the outbox, and a sink's cursor.</summary>
    public required string Place { get; init; }

    /// <summary>{0} stands for the columns.</summary>
    public required string Days { get; init; }

    public string Bytewise { get; init; } = "";

    public string Select(TransferTable table) => table.Name switch
    {
        TransferPlan.Outbox => $"SELECT {Columns(table)} FROM outbox t ORDER BY {Place}",
        TransferPlan.Cursors => $"SELECT {Columns(table, TransferPlan.Delivered, Delivered())} FROM sink_cursors t ORDER BY {Order(table, ["sink"])}",
        TransferPlan.Letters => $"SELECT {Columns(table)} FROM dead_letters t ORDER BY {Order(table, ["sink", "parked_at"])}, seq",
        TransferPlan.Days => Totals(table),
        _ => $"SELECT {Columns(table)} FROM {table.Name} t ORDER BY {Order(table, table.Key)}",
    };

    /// <summary>The last event at or before the cursor; none of those that are still kept may have been acknowledged.</summary>
    private string Delivered()
    {
        string Of(string alias) => $"({string.Join(", ", Place.Split(", ").Select(column => $"{alias}.{column}"))})";
        return $"(SELECT o.event_id FROM outbox o WHERE {Of("o")} <= {Of("t")} ORDER BY {string.Join(", ", Place.Split(", ").Select(column => $"o.{column} DESC"))} LIMIT 1)";
    }

    /// <summary>One row for each group, however many a store keeps.</summary>
    private string Totals(TransferTable table)
    {
        var columns = table.Columns.Select(column => _dayGroup.Contains(column.Name) ? column.Name : $"CAST(sum({column.Name}) AS bigint) AS {column.Name}");
        var source = string.Format(System.Globalization.CultureInfo.InvariantCulture, Days, string.Join(", ", table.Names));
        return $"SELECT {string.Join(", ", columns)} FROM {source} AS t GROUP BY {string.Join(", ", _dayGroup)} ORDER BY {Order(table, _dayGroup)}";
    }

    private string Order(TransferTable table, IEnumerable<string> columns) =>
        string.Join(", ", columns.Select(name => table.Columns[table.IndexOf(name)] switch
        {
            { Type: TransferType.Text } column => $"t.{name}{Bytewise}{(column.IsNullable ? " NULLS FIRST" : "")}",
            _ => $"t.{name}",
        }));

    private static string Columns(TransferTable table, string? special = null, string? expression = null) =>
        string.Join(", ", table.Names.Select(name => name == special ? expression : $"t.{name}"));
}
