using System.Runtime.InteropServices;

namespace TokenFactory.Inference.Limits;

/// <summary>What one request asks of its limits: the worst it can cost.</summary>
/// <param name="ReservationId">The request id; taking the same id twice takes once.</param>
/// <param name="Tenant">All buckets are this tenant's.</param>
/// <param name="Buckets">Every limit that applies; none may be missing.</param>
/// <param name="Tokens">Input and output tokens at worst. From a bucket of <see cref="Dimension.TokensPerMinute"/> never more than one full window is held.</param>
/// <param name="NanoUsd">Cost at worst.</param>
/// <param name="Lease">How long a concurrency lease lives without being settled.</param>
public sealed record Demand(Guid ReservationId, string Tenant, IReadOnlyList<Bucket> Buckets, long Tokens, long NanoUsd, TimeSpan Lease)
{
    /// <summary>An array or a list is read in place: walking it through its interface costs more than the limiter's own work.</summary>
    internal ReadOnlySpan<Bucket> BucketSpan => Buckets switch
    {
        Bucket[] array => array,
        List<Bucket> list => CollectionsMarshal.AsSpan(list),
        _ => Buckets.ToArray(),
    };
}
