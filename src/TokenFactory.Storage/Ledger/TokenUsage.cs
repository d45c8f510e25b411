namespace TokenFactory.Storage.Ledger;

/// <summary>Disjoint token classes of one request. Reasoning is a part of <paramref name="Output"/>, stated beside it.</summary>
public readonly record struct TokenUsage(long InputUncached, long CacheRead, long CacheWrite, long Output, long Reasoning)
{
    public static TokenUsage Zero => default;

    public long Input => InputUncached + CacheRead + CacheWrite;

    public long Total => Input + Output;
}
