namespace TokenFactory.Storage.Outbox;

/// <summary>One event as it is relayed: its bytes were fixed when it was written and are the same at every delivery.</summary>
/// <param name="Seq">Its place in the outbox; later events have higher numbers.</param>
public sealed record OutboxMessage(long Seq, Guid EventId, string Type, ReadOnlyMemory<byte> Body, DateTimeOffset CreatedAt);
