namespace TokenFactory.Storage.Outbox;

/// <summary>An event that a sink refused for good, kept with its bytes until it is delivered after all.</summary>
public sealed record DeadLetter(string Sink, Guid EventId, string Type, int Attempts, string Error, DateTimeOffset ParkedAt, bool ReplayRequested, ReadOnlyMemory<byte> Body);
