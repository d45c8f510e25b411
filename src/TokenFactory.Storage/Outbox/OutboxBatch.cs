namespace TokenFactory.Storage.Outbox;

/// <param name="Waiting">How many events stand after the cursor, these included.</param>
/// <param name="DeadLetters">How many are parked for this sink.</param>
internal sealed record OutboxBatch(IReadOnlyList<OutboxMessage> Messages, long Waiting, long DeadLetters);
