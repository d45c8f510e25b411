using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage.Redis;

namespace TokenFactory.Administration.Configuration;

/// <summary>Where usage events are delivered. The name is its cursor's: renaming a sink delivers everything again.</summary>
public abstract record SinkSettings(string Name);

/// <summary>One JSON event per line, appended.</summary>
/// <param name="Path">Relative to the data directory.</param>
public sealed record FileSinkSettings(string Name, string Path) : SinkSettings(Name);

/// <summary>CloudEvents 1.0 over HTTP, in batches.</summary>
/// <param name="Batch">Events per request, at most.</param>
/// <param name="Credential">Sent as <c>Authorization: Bearer</c>; null sends none.</param>
/// <param name="Timeout">Of one delivery.</param>
public sealed record CloudEventsSinkSettings(string Name, Uri Url, int Batch, Secret? Credential, TimeSpan Timeout) : SinkSettings(Name);

/// <summary>Entries of a Redis stream.</summary>
/// <param name="Stream">The stream's key.</param>
/// <param name="MaxLength">About how many entries are kept; null keeps all.</param>
/// <param name="Batch">Events per round trip, at most.</param>
/// <param name="Timeout">Of one delivery, and of connecting.</param>
public sealed record RedisStreamSinkSettings(string Name, RedisConnection Connection, string Stream, long? MaxLength, int Batch, TimeSpan Timeout) : SinkSettings(Name);
