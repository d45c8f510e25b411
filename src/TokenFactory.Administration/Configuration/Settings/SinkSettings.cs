using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage.Redis;
using TokenFactory.Storage.Relay;

namespace TokenFactory.Administration.Configuration.Settings;

/// <summary>What a sink is given.</summary>
[Flags]
public enum SinkEvents
{
    None = 0,

    /// <summary>Settlements and adjustments: what bills.</summary>
    Usage = 1,

    /// <summary>Denials.</summary>
    Audit = 2,

    /// <summary>The steps of a request before its settlement.</summary>
    Request = 4,

    /// <summary>Changes of deployments that the model audit found.</summary>
    ModelAudit = 8,
    All = Usage | Audit | Request | ModelAudit,
}

/// <summary>Where events are delivered. The name is its cursor's: renaming a sink delivers everything again.</summary>
public abstract record SinkSettings(string Name)
{
    public SinkEvents Events { get; init; } = SinkEvents.All;
}

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

/// <summary>Messages at a RabbitMQ exchange.</summary>
/// <param name="Exchange">Null is the default exchange.</param>
/// <param name="RoutingKey">Null is each event's type.</param>
/// <param name="Batch">Events published before their confirms are awaited, at most.</param>
/// <param name="Timeout">Of one delivery, and of connecting.</param>
public sealed record RabbitMqSinkSettings(string Name, RabbitConnection Connection, string? Exchange, string? RoutingKey, int Batch, TimeSpan Timeout) : SinkSettings(Name);
