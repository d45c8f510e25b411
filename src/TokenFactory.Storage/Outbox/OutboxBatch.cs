namespace TokenFactory.Storage.Outbox;

/// <param name="Waiting">How many events stand after the cursor, these included.</param>
/// <param name="Oldest">When the first event after the cursor was written, also one that may not be read yet; null when there is none.</param>
/// <param name="DeadLetters">How many are parked for this sink.</param>
internal sealed record OutboxBatch(IReadOnlyList<OutboxMessage> Messages, long Waiting, DateTimeOffset? Oldest, long DeadLetters);
