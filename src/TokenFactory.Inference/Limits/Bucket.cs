namespace TokenFactory.Inference.Limits;

public enum Dimension
{
    /// <summary>Token bucket, capacity = limit, refilled evenly over a minute.</summary>
    RequestsPerMinute = 0,

    /// <summary>Token bucket, capacity = limit, refilled evenly over a minute; input and output together.</summary>
    TokensPerMinute = 1,

    /// <summary>Leases with a deadline, so that a crash gives them back.</summary>
    Concurrent = 2,

    /// <summary>Calendar month, UTC; hard: never above its limit with what is reserved counted in.</summary>
    TokensPerMonth = 3,

    /// <summary>Calendar month, UTC, nano-USD; hard.</summary>
    NanoUsdPerMonth = 4,
}

/// <summary>One limit of one subject, within one tenant.</summary>
/// <param name="Subject">For example <c>key:k3f9…</c>, <c>project:search</c>, <c>tenant</c>, <c>model:gpt-4o</c>: unique within the tenant.</param>
public readonly record struct Bucket(string Subject, Dimension Dimension, long Limit);
