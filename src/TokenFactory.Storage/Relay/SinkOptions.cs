using TokenFactory.Storage.Redis;

namespace TokenFactory.Storage.Relay;

public enum SinkKind
{
    /// <summary>JSON lines in a file.</summary>
    File,

    /// <summary>CloudEvents 1.0 over HTTP, structured mode.</summary>
    CloudEvents,

    /// <summary>Entries of a Redis stream.</summary>
    RedisStream,

    /// <summary>Messages at a RabbitMQ exchange.</summary>
    RabbitMq,
}

/// <summary>One sink. A class and not a record: it holds a credential, which must not be printed with it.</summary>
public sealed class SinkOptions
{
    /// <summary>Names the sink's cursor: a renamed sink is a new one and starts from the oldest event kept.</summary>
    public required string Name { get; init; }

    public required SinkKind Kind { get; init; }

    /// <summary>The types of events it wants; null wants all.</summary>
    public IReadOnlyCollection<string>? Types { get; init; }

    /// <summary>Of a file sink; relative to the data directory.</summary>
    public string? Path { get; init; }

    /// <summary>Of a CloudEvents sink.</summary>
    public Uri? Url { get; init; }

    /// <summary>Whether a CloudEvents sink takes many events in one request.</summary>
    public bool Batch { get; init; } = true;

    /// <summary>Of a Redis stream sink.</summary>
    public RedisConnection? Redis { get; init; }

    /// <summary>The key of a Redis stream sink.</summary>
    public string? Stream { get; init; }

    /// <summary>About how many entries a Redis stream keeps; null keeps all.</summary>
    public long? MaxLength { get; init; }

    /// <summary>Of a RabbitMQ sink.</summary>
    public RabbitConnection? Rabbit { get; init; }

    /// <summary>Of a RabbitMQ sink; null is the default exchange, which routes to the queue of the routing key's name.</summary>
    public string? Exchange { get; init; }

    /// <summary>Of a RabbitMQ sink; null is each event's type.</summary>
    public string? RoutingKey { get; init; }

    /// <summary>Events per delivery, at most.</summary>
    public int BatchSize { get; init; } = 200;

    /// <summary>A bearer token for a CloudEvents sink.</summary>
    public string? Credential { get; init; }

    /// <summary>Of one delivery, and of connecting.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);
}
