namespace TokenFactory.Inference.Limits;

/// <summary>What a demand holds of a bucket, and what its settlement leaves there. Both follow from the demand alone, so a reservation remembers no amounts.</summary>
internal static class Amounts
{
    public static long Held(Demand demand, in Bucket bucket) => bucket.Dimension switch
    {
        Dimension.RequestsPerMinute or Dimension.Concurrent => 1,
        Dimension.TokensPerMinute => AtMostOneWindow(demand.Tokens, bucket.Limit),
        Dimension.TokensPerMonth => Math.Max(0, demand.Tokens),
        _ => Math.Max(0, demand.NanoUsd),
    };

    public static long Used(in Actual actual, Dimension dimension) => (actual.Counts, dimension) switch
    {
        (false, _) or (_, Dimension.Concurrent) => 0,
        (_, Dimension.RequestsPerMinute) => 1,
        (_, Dimension.NanoUsdPerMonth) => Math.Max(0, actual.NanoUsd),
        _ => Math.Max(0, actual.Tokens),
    };

    // A demand above a limit of zero must not shrink to nothing and pass.
    private static long AtMostOneWindow(long tokens, long limit) => Math.Clamp(tokens, 0, Math.Max(1, limit));
}
