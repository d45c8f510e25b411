using TokenFactory.Storage.Redis;

namespace TokenFactory.Inference.Limits.Redis;

/// <summary>How a replica uses the Redis it shares with the others.</summary>
public sealed record RedisLimiterOptions
{
    public required RedisConnection Connection { get; init; }

    /// <summary>What this replica is called among the others.</summary>
    public required Guid InstanceId { get; init; }

    public WhenUnavailable WhenUnavailable { get; init; } = WhenUnavailable.Deny;

    /// <summary>The longest a request waits for its take; past it the limiter is unavailable to that request.</summary>
    public TimeSpan TakeWithin { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>The longest a request waits until what a budget has spent is read from the ledger.</summary>
    public TimeSpan LoadWithin { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long the start waits for the first answer.</summary>
    public TimeSpan ConnectWithin { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A concurrency lease ends so long after its process last extended it: what a crash holds comes free by then.</summary>
    public TimeSpan LongestLease { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Settlements that wait for Redis to come back; past it the oldest are left to their leases.</summary>
    public int MostUnsettled { get; init; } = 100_000;
}

public enum WhenUnavailable
{
    /// <summary>No request that has a limit is served (503).</summary>
    Deny = 0,

    /// <summary>Each replica enforces limit ÷ live replicas by itself; what costs a monthly budget is not served.</summary>
    Share = 1,
}
