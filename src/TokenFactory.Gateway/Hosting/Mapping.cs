using TokenFactory.Administration.Configuration;
using TokenFactory.Administration.Configuration.Settings;
using TokenFactory.Gateway.Logging;
using TokenFactory.Gateway.Telemetry;
using TokenFactory.Inference;
using TokenFactory.Inference.Dispatch;
using TokenFactory.Inference.Guard;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.Limits.Redis;
using TokenFactory.Inference.Metering;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Relay;

namespace TokenFactory.Gateway.Hosting;

/// <summary>From what the operator configured to what each room is set to.</summary>
internal static class Mapping
{
    public static LogOptions Logs(TelemetrySettings settings) => new()
    {
        Format = settings.LogFormat == Administration.Configuration.Settings.LogFormat.Json ? Logging.LogFormat.Json : Logging.LogFormat.Text,
        Level = settings.LogLevel,
    };

    public static TelemetryOptions Telemetry(TelemetrySettings settings, Guid instance) =>
        new() { OtlpEndpoint = settings.OtlpEndpoint, Instance = instance.ToString("D") };

    public static GuardOptions Guard(GatewayConfiguration configuration) => new() { MaxInputTokens = configuration.Guard.MaxInputTokens };

    public static InferenceOptions Inference(GatewayConfiguration configuration, Guid instance) => new()
    {
        InstanceId = instance,
        Intake = new IntakeOptions
        {
            BodyLimitBytes = (int)configuration.Server.BodyLimitBytes,
            BodyBudgetBytes = configuration.Server.BodyBudgetBytes,
            MaxDepth = configuration.Server.MaxDepth,
        },
        Guard = Guard(configuration),
        Dispatch = new DispatchOptions { DrainWithin = configuration.Server.Drain },
        RedisLimiter = Redis(configuration.Limiter, instance),
        Metering = new MeteringOptions { KeepAliveInterval = configuration.Server.KeepAlive },
    };

    private static RedisLimiterOptions? Redis(LimiterSettings settings, Guid instance) => settings.Connection is { } connection
        ? new RedisLimiterOptions { Connection = connection, InstanceId = instance, WhenUnavailable = settings.WhenUnavailable }
        : null;

    /// <summary>Null where all are wanted, those that are yet to come too.</summary>
    private static string[]? Types(SinkEvents events) => events == SinkEvents.All ? null :
    [
        .. events.HasFlag(SinkEvents.Usage) ? [EventTypes.Usage] : Array.Empty<string>(),
        .. events.HasFlag(SinkEvents.Audit) ? [EventTypes.Audit] : Array.Empty<string>(),
        .. events.HasFlag(SinkEvents.Request) ? [EventTypes.Request] : Array.Empty<string>(),
        .. events.HasFlag(SinkEvents.ModelAudit) ? [EventTypes.ModelAudit] : Array.Empty<string>(),
    ];

    public static IEnumerable<SinkOptions> Sinks(GatewayConfiguration configuration) => configuration.Sinks.Select(sink => sink switch
    {
        FileSinkSettings file => new SinkOptions { Name = file.Name, Types = Types(file.Events), Kind = SinkKind.File, Path = file.Path },
        CloudEventsSinkSettings http => new SinkOptions
        {
            Name = http.Name,
            Types = Types(http.Events),
            Kind = SinkKind.CloudEvents,
            Url = http.Url,
            Batch = http.Batch > 1,
            BatchSize = http.Batch,
            Credential = http.Credential?.Reveal(),
            Timeout = http.Timeout,
        },
        RabbitMqSinkSettings rabbit => new SinkOptions
        {
            Name = rabbit.Name,
            Types = Types(rabbit.Events),
            Kind = SinkKind.RabbitMq,
            Rabbit = rabbit.Connection,
            Exchange = rabbit.Exchange,
            RoutingKey = rabbit.RoutingKey,
            BatchSize = rabbit.Batch,
            Timeout = rabbit.Timeout,
        },
        RedisStreamSinkSettings redis => new SinkOptions
        {
            Name = redis.Name,
            Types = Types(redis.Events),
            Kind = SinkKind.RedisStream,
            Redis = redis.Connection,
            Stream = redis.Stream,
            MaxLength = redis.MaxLength,
            BatchSize = redis.Batch,
            Timeout = redis.Timeout,
        },
        _ => throw new InvalidOperationException($"no relay delivers to a sink of {sink.GetType().Name}"),
    });
}
