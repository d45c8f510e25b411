namespace TokenFactory.Storage.Ledger;

/// <summary>A price snapshot. Every price is nano-USD per million tokens, so that every published price is exact.</summary>
/// <param name="Id">Names this snapshot on every settlement, so that billing can rate again later.</param>
public sealed record Price(string Id, long InputNanoUsd, long CacheReadNanoUsd, long CacheWriteNanoUsd, long OutputNanoUsd)
{
    private const long TokensPerUnit = 1_000_000;

    public static Price Free { get; } = new("free", 0, 0, 0, 0);

    /// <summary>The cost in nano-USD; a fraction of a nano-USD is rounded half up, once, over the whole request. What 64 bits cannot hold is their most.</summary>
    public long CostNanoUsd(in TokenUsage tokens)
    {
        var parts = ((Int128)tokens.InputUncached * InputNanoUsd)
            + ((Int128)tokens.CacheRead * CacheReadNanoUsd)
            + ((Int128)tokens.CacheWrite * CacheWriteNanoUsd)
            + ((Int128)tokens.Output * OutputNanoUsd);
        return (long)Int128.Min((parts + (TokensPerUnit / 2)) / TokensPerUnit, long.MaxValue);
    }
}
