namespace TokenFactory.Storage.Outbox;

/// <summary>One event as it is relayed: its bytes are the same at every delivery.</summary>
/// <param name="Seq">Its place in the outbox; of one writer, later events have higher numbers.</param>
/// <param name="Transaction">What stands before <paramref name="Seq"/> in the order of events, in a store with many writers; else zero.</param>
public sealed record OutboxMessage(long Seq, Guid EventId, string Type, ReadOnlyMemory<byte> Body, DateTimeOffset CreatedAt, ulong Transaction = 0)
{
    /// <summary>Whether nobody can tell it any more: it was to be told by an audit record that is not there, or is none.</summary>
    public bool IsLost => Body.IsEmpty;
}
