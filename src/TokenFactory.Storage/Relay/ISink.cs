using TokenFactory.Storage.Outbox;

namespace TokenFactory.Storage.Relay;

/// <summary>Where events go. Returning acknowledges the whole batch; it may come again after a crash, with the same bytes.</summary>
internal interface ISink
{
    string Name { get; }

    /// <summary>Events per delivery, at most.</summary>
    int MaxBatch { get; }

    /// <summary>Once, before the first delivery and after each failed one.</summary>
    Task OpenAsync(CancellationToken cancel) => Task.CompletedTask;

    /// <exception cref="SinkRejectedException">The sink will never take something in this batch. Any other exception is tried again.</exception>
    Task DeliverAsync(IReadOnlyList<OutboxMessage> batch, CancellationToken cancel);
}
