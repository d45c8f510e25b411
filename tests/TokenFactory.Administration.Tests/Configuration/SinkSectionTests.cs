using TokenFactory.Administration.Configuration;
using TokenFactory.Administration.Configuration.Settings;

namespace TokenFactory.Administration.Tests.Configuration;

public sealed class SinkSectionTests
{
    private static readonly (string, string)[] _environment = [("REDIS", "redis://:pa55@redis"), ("RABBIT", "amqps://billing:pa55@rabbit/usage"), ("HTTP", "http://rabbit")];

    [Fact]
    public void A_redis_stream_has_a_connection_and_a_key()
    {
        var sink = Only<RedisStreamSinkSettings>("sinks: [ { name: s, kind: redis-stream, connection: env:REDIS, stream: 'tf:usage' } ]");

        Assert.Equal(("s", "redis:6379", "tf:usage", null, 100, TimeSpan.FromSeconds(10)), (sink.Name, sink.Connection.ToString(), sink.Stream, sink.MaxLength, sink.Batch, sink.Timeout));
    }

    [Fact]
    public void A_rabbitmq_sink_routes_by_type_at_the_default_exchange_unless_told()
    {
        var sink = Only<RabbitMqSinkSettings>("sinks: [ { name: q, kind: rabbitmq, connection: env:RABBIT } ]");
        var told = Only<RabbitMqSinkSettings>("sinks: [ { name: q, kind: rabbitmq, connection: env:RABBIT, exchange: usage, routing_key: billing, batch: 1, timeout: 3s } ]");

        Assert.Equal(("rabbit:5671, vhost usage", null, null, 100), (sink.Connection.ToString(), sink.Exchange, sink.RoutingKey, sink.Batch));
        Assert.Equal(("usage", "billing", 1, TimeSpan.FromSeconds(3)), (told.Exchange, told.RoutingKey, told.Batch, told.Timeout));
    }

    [Theory]
    [InlineData("", SinkEvents.Usage)]
    [InlineData(", events: audit", SinkEvents.Audit)]
    [InlineData(", events: [usage, audit, request]", SinkEvents.Usage | SinkEvents.Audit | SinkEvents.Request)]
    [InlineData(", events: [usage, model_audit]", SinkEvents.Usage | SinkEvents.ModelAudit)]
    public void A_sink_is_given_what_bills_unless_it_asks_for_more(string more, SinkEvents events) =>
        Assert.Equal(events, Only<RabbitMqSinkSettings>("sinks: [ { name: q, kind: rabbitmq, connection: env:RABBIT" + more + " } ]").Events);

    [Fact]
    public void P12_Every_mistake_in_the_sinks_is_told_at_once_with_its_line_and_no_secret()
    {
        var mistakes = Yaml.Read(
            """
            sinks:
              - { name: one, kind: redis-stream, connection: env:HTTP }
              - { name: two, kind: rabbitmq, connection: env:HTTP, exchnage: usage }
              - { name: three, kind: rabbitmq, connection: 'amqp://u:pa55@rabbit', batch: 0 }
              - { name: three, kind: file, path: events.jsonl }
              - { name: three, kind: cloudevents, url: events }
              - { kind: redis-stream, connection: env:REDIS, stream: s, max_length: none }
              - { name: five, kind: rabbitmq, connection: env:RABBIT }
              - { name: five, kind: file, path: events.jsonl }
            """,
            _environment).Mistakes;

        Assert.Equal(
            [(2, "the stream's key"), (2, "unknown scheme"), (3, "did you mean 'exchange'?"), (3, "unknown scheme"), (4, "from 1 to 1000"), (4, "secrets are references"),
                (5, "named 'three' already"), (6, "absolute URL"), (6, "named 'three' already"), (7, "from 1 to 1000000000000"), (7, "the sink's name"), (9, "named 'five' already")],
            mistakes.Select(one => (one.Line, Says: _says.First(says => one.Message.Contains(says, StringComparison.Ordinal)))).OrderBy(one => one.Line).ThenBy(one => one.Says, StringComparer.Ordinal));
        Assert.All(mistakes, one => Assert.DoesNotContain("pa55", one.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public void A_changed_connection_needs_a_restart_and_an_unchanged_one_does_not()
    {
        const string Sinks = "sinks: [ { name: q, kind: rabbitmq, connection: env:RABBIT }, { name: s, kind: redis-stream, connection: env:REDIS, stream: s } ]";
        var before = Yaml.Valid(Sinks, _environment);

        Assert.Empty(RestartOnly.Differ(before, Yaml.Valid(Sinks, _environment)));
        Assert.Equal(["sinks"], RestartOnly.Differ(before, Yaml.Valid(Sinks, ("REDIS", "redis://:another@redis"), _environment[1])));
        Assert.Equal(["sinks"], RestartOnly.Differ(before, Yaml.Valid(Sinks, _environment[0], ("RABBIT", "amqps://billing:another@rabbit/usage"))));
    }

    private static readonly string[] _says =
        ["unknown scheme", "the stream's key", "did you mean 'exchange'?", "secrets are references", "from 1 to 1000000000000", "from 1 to 1000", "absolute URL", "the sink's name", "named 'five' already", "named 'three' already", ""];

    private static T Only<T>(string yaml)
        where T : SinkSettings => Assert.IsType<T>(Assert.Single(Yaml.Valid(yaml, _environment).Sinks));
}
