namespace TokenFactory.Inference.Limits;

/// <summary>What a take left: a reservation, or the refusal that made it take nothing.</summary>
/// <param name="Levels">The buckets after the take (or at the refusal), in the demand's order.</param>
public readonly record struct Taking(Reservation? Reservation, Refusal? Refusal, IReadOnlyList<Level> Levels);

/// <param name="Remaining">Whole units left, never below zero.</param>
/// <param name="Reset">Until the bucket is full again, or the calendar window ends.</param>
public readonly record struct Level(Bucket Bucket, long Remaining, TimeSpan Reset);

/// <param name="RetryAfter">When the same demand could be met; null for a budget, which no waiting of seconds brings back, and for a demand above the limit itself.</param>
public sealed record Refusal(Bucket Bucket, TimeSpan? RetryAfter);

/// <summary>What was taken, to be settled once.</summary>
public sealed record Reservation(Guid Id, string Tenant, Demand Demand);

/// <summary>What a request really used.</summary>
public readonly record struct Actual(bool Counts, long Tokens, long NanoUsd)
{
    /// <summary>The request did not happen: a later stop refused it.</summary>
    public static Actual Nothing => default;

    public static Actual Of(long tokens, long nanoUsd) => new(true, tokens, nanoUsd);
}
