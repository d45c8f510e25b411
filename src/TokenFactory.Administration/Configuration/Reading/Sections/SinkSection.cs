using System.Text;
using TokenFactory.Administration.Configuration.Settings;
using TokenFactory.Storage.Redis;
using TokenFactory.Storage.Relay;

namespace TokenFactory.Administration.Configuration.Reading.Sections;

/// <summary>The <c>sinks</c>: absent is one file named <c>events</c>; an empty list is none.</summary>
internal static class SinkSection
{
    private enum Kind
    {
        File,
        CloudEvents,
        RedisStream,
        RabbitMq,
    }

    public static IReadOnlyList<SinkSettings> Read(Field field)
    {
        if (field.Items(32) is not { } items)
        {
            return [new FileSinkSettings("events", "events.jsonl")];
        }

        var names = new Named<Section>("sink");
        var sinks = new List<SinkSettings>();
        foreach (var item in items)
        {
            if (item.Required("a sink").Section() is not { } section)
            {
                continue;
            }

            var name = section["name"].Required("the sink's name").Name();
            names.Add(section["name"], name, section);
            var kind = section["kind"].Required("file, cloudevents, redis-stream or rabbitmq").Choice(
                ("file", Kind.File), ("cloudevents", Kind.CloudEvents), ("redis-stream", Kind.RedisStream), ("rabbitmq", Kind.RabbitMq));
            SinkSettings? sink = kind switch
            {
                Kind.File => File(section, name ?? ""),
                Kind.CloudEvents => CloudEvents(section, name ?? ""),
                Kind.RedisStream => RedisStream(section, name ?? ""),
                Kind.RabbitMq => RabbitMq(section, name ?? ""),
                _ => null,
            };
            var events = Events(section["events"]);
            if (kind is null)
            {
                continue;
            }

            section.RefuseUnknownKeys();
            if (sink is not null)
            {
                sinks.Add(sink with { Events = events });
            }
        }

        return sinks;
    }

    /// <summary>What bills, unless more is asked for: a consumer of usage must not have to know what else there is.</summary>
    private static SinkEvents Events(Field field)
    {
        var events = SinkEvents.None;
        foreach (var item in field.ItemsOrOne(16) ?? [])
        {
            events |= item.Required("usage, audit, request or model_audit").Choice(
                ("usage", SinkEvents.Usage), ("audit", SinkEvents.Audit), ("request", SinkEvents.Request), ("model_audit", SinkEvents.ModelAudit)) ?? SinkEvents.None;
        }

        return events == SinkEvents.None ? SinkEvents.Usage : events;
    }

    private static FileSinkSettings? File(Section section, string name) =>
        section["path"].Required("the file, relative to the data directory").Text(maxLength: 1024) is { } path
            ? new FileSinkSettings(name, path)
            : null;

    private static CloudEventsSinkSettings? CloudEvents(Section section, string name)
    {
        var url = section["url"].Required("where events are posted to").Url();
        var batch = Batch(section);
        var credential = section["credential"].Secret();
        var timeout = Timeout(section);
        return url is null ? null : new CloudEventsSinkSettings(name, url, batch, credential, timeout);
    }

    private static RedisStreamSinkSettings? RedisStream(Section section, string name)
    {
        var field = section["connection"].Required("where Redis is, a reference: env:NAME or file:PATH");
        var (connection, mistake) = field.Secret() is { } text ? RedisConnection.Parse(text.Reveal()) : (null, null);
        if (mistake is not null)
        {
            field.Mistake(mistake);
        }

        var stream = section["stream"].Required("the stream's key").Text();
        var length = section["max_length"].Whole(1, 1_000_000_000_000);
        var batch = Batch(section);
        var timeout = Timeout(section);
        return connection is null || stream is null ? null : new RedisStreamSinkSettings(name, connection, stream, length, batch, timeout);
    }

    private static RabbitMqSinkSettings? RabbitMq(Section section, string name)
    {
        var field = section["connection"].Required("where RabbitMQ is, a reference: env:NAME or file:PATH");
        var (connection, mistake) = field.Secret() is { } text ? RabbitConnection.Parse(text.Reveal()) : (null, null);
        if (mistake is not null)
        {
            field.Mistake(mistake);
        }

        // AMQP 0.9.1 carries both as short strings, of 255 bytes at most.
        var exchange = ShortString(section["exchange"]);
        var routingKey = ShortString(section["routing_key"]);
        var batch = Batch(section);
        var timeout = Timeout(section);
        return connection is null ? null : new RabbitMqSinkSettings(name, connection, exchange, routingKey, batch, timeout);
    }

    private static string? ShortString(Field field)
    {
        var text = field.Text(maxLength: 255);
        if (text is not null && Encoding.UTF8.GetByteCount(text) > 255)
        {
            field.Mistake("write at most 255 bytes");
        }

        return text;
    }

    private static int Batch(Section section) => (int)(section["batch"].Whole(1, 1000) ?? 100);

    /// <summary>Shorter than a replica's lease on the sink by default; where it is longer, a slow delivery may be made by two.</summary>
    private static TimeSpan Timeout(Section section) => section["timeout"].Duration(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1)) ?? TimeSpan.FromSeconds(10);
}
