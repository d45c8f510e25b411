namespace TokenFactory.Inference.Limits;

/// <summary>Takes from every limit of a request at once, or from none.</summary>
public interface ILimiter
{
    /// <summary>One atomic, all-or-nothing take of every bucket named by the demand. A refusal consumes nothing.</summary>
    /// <exception cref="LimiterUnavailableException">The store behind it is down: the caller fails closed with 503.</exception>
    ValueTask<Taking> TakeAsync(Demand demand, CancellationToken cancel);

    /// <summary>
    /// Corrects a reservation to what was really used and frees its concurrency lease. Idempotent by reservation id: only
    /// the first call counts. <see cref="Actual.Nothing"/> gives everything back, the request itself included.
    /// </summary>
    ValueTask SettleAsync(Reservation reservation, Actual actual, CancellationToken cancel);

    /// <summary>Tells what <paramref name="month"/> has spent of a budget, from the ledger, which is the truth. Meant for the start, before the first take.</summary>
    /// <param name="month">Its first instant, UTC.</param>
    /// <exception cref="LimiterUnavailableException">The store behind it is down.</exception>
    ValueTask LoadAsync(string tenant, Bucket bucket, long spent, DateTimeOffset month, CancellationToken cancel);
}
