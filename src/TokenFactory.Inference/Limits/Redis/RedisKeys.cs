using StackExchange.Redis;

namespace TokenFactory.Inference.Limits.Redis;

/// <summary>Every key of a tenant has the tenant as its hash tag: one slot, so that one script may touch all of them.</summary>
internal static class RedisKeys
{
    public const string Replicas = "tfg:replicas";

    public const string Rests = "tfg:rests";

    public static RedisKey Reservation(string tenant, Guid id) => $"tfg:{{{tenant}}}:r:{id:N}";

    public static RedisKey Of(string tenant, in Bucket bucket) => $"tfg:{{{tenant}}}:{KindOf(bucket.Dimension)}:{bucket.Subject}";

    /// <summary>As the scripts name the dimensions.</summary>
    public static string KindOf(Dimension dimension) => dimension switch
    {
        Dimension.RequestsPerMinute => "q",
        Dimension.TokensPerMinute => "t",
        Dimension.Concurrent => "c",
        Dimension.TokensPerMonth => "T",
        Dimension.NanoUsdPerMonth => "M",
        _ => throw new ArgumentOutOfRangeException(nameof(dimension), dimension, "No limiter counts this dimension."),
    };
}
