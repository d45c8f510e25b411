using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Sqlite.Writer;

/// <summary>The columns that several tables share, bound in one order.</summary>
internal static class PlacementBinding
{
    /// <summary>deployment, provider, region, upstream_model, upstream_version, price_id.</summary>
    public static RawStatement Bind(this RawStatement statement, Placement placement) => statement
        .Bind(placement.Deployment).Bind(placement.Provider).Bind(placement.Region).Bind(placement.UpstreamModel)
        .Bind(placement.UpstreamVersion).Bind(placement.Price.Id);

    /// <summary>The placement's columns, the four prices and the site: what an orphan is rated by, and told of, when nobody else remembers.</summary>
    public static RawStatement BindPriced(this RawStatement statement, Placement placement) => statement.Bind(placement)
        .Bind(placement.Price.InputNanoUsd).Bind(placement.Price.CacheReadNanoUsd).Bind(placement.Price.CacheWriteNanoUsd).Bind(placement.Price.OutputNanoUsd)
        .Bind(placement.Site);

    /// <summary>input_uncached, cache_read, cache_write, output, reasoning.</summary>
    public static RawStatement Bind(this RawStatement statement, in TokenUsage tokens) => statement
        .Bind(tokens.InputUncached).Bind(tokens.CacheRead).Bind(tokens.CacheWrite).Bind(tokens.Output).Bind(tokens.Reasoning);
}
