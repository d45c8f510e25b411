using System.Diagnostics;
using RabbitMQ.Client;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Relay;
using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Servers;
using Xunit;

namespace TokenFactory.Storage.Tests.Relay;

/// <summary>The RabbitMQ sink on a real broker.</summary>
public sealed class RabbitSinkTests(RabbitFixture fixture) : RemoteSinkContract, IClassFixture<RabbitFixture>
{
    private RabbitServer Server => fixture.Server;

    private RabbitUnderTest Rabbit => (RabbitUnderTest)Under;

    private protected override async Task<SinkUnderTest> StartAsync() => await RabbitUnderTest.StartAsync(Server);

    [Fact]
    public async Task A_message_is_the_event_persistent_and_named_by_its_id_and_the_same_at_every_delivery()
    {
        var one = SinkUnderTest.One(10, "tokenfactory.audit.v1");
        await using var sink = await OpenAsync(Rabbit.Queue);
        await sink.DeliverAsync([one], default);
        await sink.DeliverAsync([one], default);

        var received = await Rabbit.ReceivedAsync();

        Assert.Equal(2, received.Count);
        Assert.All(received, message =>
        {
            Assert.Equal(Expected([one]).Single().Body, message.Body);
            Assert.Equal("application/cloudevents+json", message.Properties.ContentType);
            Assert.Equal((one.EventId.ToString("D"), one.Type), (message.Properties.MessageId, message.Properties.Type));
            Assert.Equal(DeliveryModes.Persistent, message.Properties.DeliveryMode);
            Assert.Equal(one.CreatedAt.ToUnixTimeSeconds(), message.Properties.Timestamp.UnixTime);
            Assert.Empty(message.Properties.Headers ?? new Dictionary<string, object?>());
        });
    }

    [Fact]
    public async Task Without_a_routing_key_an_event_is_routed_by_its_type()
    {
        await Rabbit.UseAsync(async channel =>
        {
            await channel.ExchangeDeclareAsync("by-type", ExchangeType.Topic);
            await channel.QueueBindAsync(Rabbit.Queue, "by-type", "tokenfactory.*.v1");
        });
        await using var sink = RabbitUnderTest.New(Server.Url, "by-type", routingKey: null);
        await sink.OpenAsync(default);

        await sink.DeliverAsync([SinkUnderTest.One(1, "tokenfactory.usage.v1"), SinkUnderTest.One(1, "tokenfactory.audit.v1")], default);

        Assert.Equal(["tokenfactory.usage.v1", "tokenfactory.audit.v1"], (await Rabbit.ReceivedAsync()).Select(one => one.RoutingKey));
    }

    [Fact]
    public async Task P2_An_unroutable_event_is_an_outage_until_a_queue_is_bound()
    {
        await Rabbit.UseAsync(channel => channel.ExchangeDeclareAsync("unbound", ExchangeType.Direct, durable: true));
        var events = SinkUnderTest.Some(5);
        await using var sink = RabbitUnderTest.New(Server.Url, "unbound", "usage");

        Assert.Contains("no queue is bound", await OutageOf(sink, events), StringComparison.Ordinal);

        await Rabbit.UseAsync(channel => channel.QueueBindAsync(Rabbit.Queue, "unbound", "usage"));
        await sink.OpenAsync(default);
        await sink.DeliverAsync(events, default);
        Assert.Equal(Expected(events), await Under.TakenAsync());
    }

    [Fact]
    public async Task P2_An_exchange_that_is_not_there_is_an_outage()
    {
        await using var sink = RabbitUnderTest.New(Server.Url, "nowhere", "usage");

        Assert.Contains("no exchange 'nowhere'", await OutageOf(sink, SinkUnderTest.Some(5)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task P2_A_full_queue_that_rejects_is_an_outage_until_it_is_read()
    {
        var full = $"full-{Ids.New(TimeProvider.System)}";
        await Rabbit.UseAsync(channel => channel.QueueDeclareAsync(full, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?>
        {
            ["x-max-length"] = 3,
            ["x-overflow"] = "reject-publish",
        }));
        var events = SinkUnderTest.Some(2);
        await using var sink = await OpenAsync(full);
        await sink.DeliverAsync(SinkUnderTest.Some(3), default);

        Assert.Contains("did not confirm", await OutageOf(sink, events), StringComparison.Ordinal);

        await Rabbit.UseAsync(channel => channel.QueuePurgeAsync(full));
        await sink.OpenAsync(default);
        await sink.DeliverAsync(events, default);
    }

    [Fact]
    public async Task P2_A_memory_alarm_is_an_outage_that_does_not_pile_up_copies()
    {
        var events = SinkUnderTest.Some(20);
        await using var sink = (RabbitSink)Under.New(TimeSpan.FromSeconds(1));
        await sink.OpenAsync(default);
        await Server.RaiseMemoryAlarmAsync();
        try
        {
            for (var tries = 0; tries < 4; tries++)
            {
                Assert.Contains("takes no messages: low on memory", (await OutageOf(sink, events)).Replace("still ", "", StringComparison.Ordinal), StringComparison.Ordinal);
            }
        }
        finally
        {
            await Server.ClearMemoryAlarmAsync();
        }

        await UntilTakenAsync(sink, events);
        var taken = await Under.TakenAsync();
        Assert.Equal(Expected(events), taken.DistinctBy(one => one.Id));
        Assert.InRange(taken.Count, events.Length, 2 * events.Length);
    }

    [Theory]
    [InlineData("guest:wrong-one@", "", "refuses the user or the password")]
    [InlineData("guest:guest@", "/no-such-vhost", "vhost no-such-vhost not found")]
    public async Task P8_A_refused_login_is_told_without_the_password(string user, string vhost, string says)
    {
        await using var sink = RabbitUnderTest.New($"amqp://{user}127.0.0.1:{Server.Port}{vhost}", "", "usage");

        var told = await Assert.ThrowsAsync<SinkUnavailableException>(() => sink.OpenAsync(default));

        Assert.Contains(says, told.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong-one", told.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task P10_A_port_nobody_listens_on_is_told_at_once()
    {
        var started = Stopwatch.GetTimestamp();
        await using var sink = RabbitUnderTest.New($"amqp://guest:guest@127.0.0.1:{FreePort.Next()}", "", "usage");

        Assert.Contains("cannot be reached", (await Assert.ThrowsAsync<SinkUnavailableException>(() => sink.OpenAsync(default))).Message, StringComparison.Ordinal);
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(9));
    }

    [Theory]
    [InlineData("amqp://u:p@rabbit", "rabbit:5672, vhost /")]
    [InlineData("amqp://u:p@rabbit:5673/", "rabbit:5673, vhost /")]
    [InlineData("amqps://u:p@rabbit/billing", "rabbit:5671, vhost billing")]
    [InlineData("amqp://rabbit/%2Fa%20b", "rabbit:5672, vhost /a b")]
    public void P8_A_connection_is_shown_without_its_credentials(string url, string shown) =>
        Assert.Equal(shown, RabbitConnection.Parse(url).Connection!.ToString());

    [Fact]
    public void P8_A_certificate_of_another_name_is_not_accepted()
    {
        var ssl = RabbitConnection.Parse("amqps://u:p%40ss@rabbit").Connection!.ToFactory(TimeSpan.FromSeconds(1));

        Assert.True(ssl.Ssl.Enabled);
        Assert.Equal("rabbit", ssl.Ssl.ServerName);
        Assert.Equal(System.Net.Security.SslPolicyErrors.None, ssl.Ssl.AcceptablePolicyErrors);
        Assert.Equal(("u", "p@ss"), (ssl.UserName, ssl.Password));
    }

    [Theory]
    [InlineData("rabbit:5672")]
    [InlineData("http://rabbit")]
    [InlineData("amqp://rabbit/a/b")]
    [InlineData("amqp://rabbit?heartbeat=10")]
    [InlineData("")]
    public void P12_A_connection_that_cannot_be_read_says_how_to_write_it(string url)
    {
        var (connection, mistake) = RabbitConnection.Parse(url);

        Assert.Null(connection);
        Assert.Contains("write amqp://", mistake, StringComparison.Ordinal);
    }

    private async Task<RabbitSink> OpenAsync(string queue)
    {
        var sink = RabbitUnderTest.New(Server.Url, "", queue);
        await sink.OpenAsync(default);
        return sink;
    }

    private static async Task<string> OutageOf(RabbitSink sink, IReadOnlyList<OutboxMessage> events) =>
        (await Assert.ThrowsAsync<SinkUnavailableException>(async () =>
        {
            await sink.OpenAsync(default);
            await sink.DeliverAsync(events, default);
        })).Message;

    private static async Task UntilTakenAsync(RabbitSink sink, IReadOnlyList<OutboxMessage> events)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                await sink.OpenAsync(default);
                await sink.DeliverAsync(events, default);
                return;
            }
            catch (SinkUnavailableException) when (tries < 100)
            {
                await Task.Delay(100);
            }
        }
    }
}
