using Npgsql;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Postgres;

/// <summary>Columns read back as the types they were written from.</summary>
internal static class ReaderColumns
{
    public static string? TextOrNull(this NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    public static DateTimeOffset Time(this NpgsqlDataReader reader, int column) => reader.GetFieldValue<DateTimeOffset>(column);

    /// <summary>input_uncached, cache_read, cache_write, output, reasoning.</summary>
    public static TokenUsage Tokens(this NpgsqlDataReader reader, int first) => new(
        reader.GetInt64(first), reader.GetInt64(first + 1), reader.GetInt64(first + 2), reader.GetInt64(first + 3), reader.GetInt64(first + 4));

    /// <summary>deployment, provider, region, upstream_model, upstream_version, price_id and the four prices.</summary>
    public static Placement PricedPlacement(this NpgsqlDataReader reader, int first) => new(
        reader.GetString(first), reader.GetString(first + 1), reader.TextOrNull(first + 2), reader.GetString(first + 3), reader.TextOrNull(first + 4),
        new Price(reader.GetString(first + 5), reader.GetInt64(first + 6), reader.GetInt64(first + 7), reader.GetInt64(first + 8), reader.GetInt64(first + 9)));
}
