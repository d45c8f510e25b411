using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Postgres.Writer;

/// <summary>The columns that several tables share, in one order.</summary>
internal static class SharedColumns
{
    /// <summary>deployment, provider, region, upstream_model, upstream_version, price_id.</summary>
    public static ColumnArrays<T> Placed<T>(this ColumnArrays<T> columns, Func<T, Placement> placement) => columns
        .Texts(row => placement(row).Deployment).Texts(row => placement(row).Provider).Texts(row => placement(row).Region)
        .Texts(row => placement(row).UpstreamModel).Texts(row => placement(row).UpstreamVersion).Texts(row => placement(row).Price.Id);

    /// <summary>The placement's columns, the four prices and the site: what an orphan is rated by, and told of, when nobody else remembers.</summary>
    public static ColumnArrays<T> Priced<T>(this ColumnArrays<T> columns, Func<T, Placement> placement) => columns.Placed(placement)
        .Longs(row => placement(row).Price.InputNanoUsd).Longs(row => placement(row).Price.CacheReadNanoUsd)
        .Longs(row => placement(row).Price.CacheWriteNanoUsd).Longs(row => placement(row).Price.OutputNanoUsd)
        .Texts(row => placement(row).Site);

    /// <summary>input_uncached, cache_read, cache_write, output, reasoning.</summary>
    public static ColumnArrays<T> Tokens<T>(this ColumnArrays<T> columns, Func<T, TokenUsage> tokens) => columns
        .Longs(row => tokens(row).InputUncached).Longs(row => tokens(row).CacheRead).Longs(row => tokens(row).CacheWrite)
        .Longs(row => tokens(row).Output).Longs(row => tokens(row).Reasoning);
}
