namespace TokenFactory.Storage.Outbox;

/// <summary>What the relay needs of a store. Reads are of committed rows, in order; each sink has its own cursor.</summary>
internal interface IOutbox
{
    /// <summary>Completes at the next commit; a hint, take it before <see cref="ReadAsync"/>.</summary>
    Task NextCommit { get; }

    /// <summary>The events after the sink's cursor, in order, and how many wait behind them; none while another replica serves the sink.</summary>
    Task<OutboxBatch> ReadAsync(string sink, int limit, CancellationToken cancel);

    /// <summary>Lets another replica serve the sink at once: this one cannot reach it. Nothing where there is only one.</summary>
    Task LeaveAsync(string sink) => Task.CompletedTask;

    /// <summary>Acknowledges everything up to <paramref name="last"/>.</summary>
    Task AdvanceAsync(string sink, OutboxMessage last);

    /// <summary>Takes one event out of the sink's way: writes its dead letter and moves the cursor past it, both or neither.</summary>
    Task ParkAsync(string sink, OutboxMessage message, int attempts, string error);

    /// <summary>Dead letters somebody asked to try again.</summary>
    Task<IReadOnlyList<OutboxMessage>> ReadReplaysAsync(string sink, int limit, CancellationToken cancel);

    /// <summary>Ends a replay: the dead letter is gone when it was delivered, else it waits again with the new error.</summary>
    Task EndReplayAsync(string sink, Guid eventId, string? error);

    /// <summary>Removes one small part of the events that are older than the store's bound and behind every one of these sinks.</summary>
    /// <returns>How many parts, events or days of them, were removed.</returns>
    Task<int> TrimAsync(IReadOnlyCollection<string> sinks);
}
