using System.Data.Common;
using TokenFactory.Storage.Journal;

namespace TokenFactory.Storage.Ledger;

/// <summary>Columns read back as the types they were written from.</summary>
internal static class ReaderColumns
{
    public static string? TextOrNull(this DbDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    public static byte[]? BytesOrNull(this DbDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetFieldValue<byte[]>(column);

    /// <summary>input_uncached, cache_read, cache_write, output, reasoning.</summary>
    public static TokenUsage Tokens(this DbDataReader reader, int first) => new(
        reader.GetInt64(first), reader.GetInt64(first + 1), reader.GetInt64(first + 2), reader.GetInt64(first + 3), reader.GetInt64(first + 4));

    /// <summary>deployment, provider, region, upstream_model, upstream_version, price_id, the four prices and the site.</summary>
    public static Placement PricedPlacement(this DbDataReader reader, int first) => new(
        reader.GetString(first), reader.GetString(first + 1), reader.TextOrNull(first + 2), reader.GetString(first + 3), reader.TextOrNull(first + 4),
        new Price(reader.GetString(first + 5), reader.GetInt64(first + 6), reader.GetInt64(first + 7), reader.GetInt64(first + 8), reader.GetInt64(first + 9)),
        reader.TextOrNull(first + 10));
}
