using System.Text;
using RabbitMQ.Client;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Relay;
using TokenFactory.TestKit.Servers;

namespace TokenFactory.Storage.Tests.Relay;

/// <summary>A message as its consumer gets it.</summary>
internal sealed record Received(IReadOnlyBasicProperties Properties, string RoutingKey, string Body);

/// <summary>A durable queue of its own on a real RabbitMQ, which the tests of a class share: it takes seconds to start.</summary>
internal sealed class RabbitUnderTest(RabbitServer server, string queue) : SinkUnderTest, IFreezable
{
    private readonly List<Received> _received = [];

    public override OutboxMessage Poison { get; } = One(RabbitServer.MaxMessageBytes);

    public static async Task<RabbitUnderTest> StartAsync(RabbitServer server)
    {
        var under = new RabbitUnderTest(server, $"usage-{Ids.New(TimeProvider.System)}");
        await under.UseAsync(channel => channel.QueueDeclareAsync(under.Queue, durable: true, exclusive: false, autoDelete: false));
        return under;
    }

    public string Queue => queue;

    public override ISink New(TimeSpan? timeout = null) => New(server.Url, "", queue, timeout);

    public static RabbitSink New(string url, string exchange, string? routingKey, TimeSpan? timeout = null) => new(new SinkOptions
    {
        Name = "rabbit",
        Kind = SinkKind.RabbitMq,
        Rabbit = RabbitConnection.Parse(url).Connection,
        Exchange = exchange,
        RoutingKey = routingKey,
        BatchSize = 32,
        Timeout = timeout ?? TimeSpan.FromSeconds(10),
    });

    public override async Task<IReadOnlyList<Taken>> TakenAsync() =>
        [.. (await ReceivedAsync()).Select(one => new Taken(Guid.Parse(one.Properties.MessageId!), one.Body))];

    public async Task<IReadOnlyList<Received>> ReceivedAsync()
    {
        await UseAsync(async channel =>
        {
            while (await channel.BasicGetAsync(queue, autoAck: true) is { } message)
            {
                _received.Add(new Received(message.BasicProperties, message.RoutingKey, Encoding.UTF8.GetString(message.Body.Span)));
            }
        });
        return [.. _received];
    }

    public async Task UseAsync(Func<IChannel, Task> what)
    {
        await using var connection = await RabbitConnection.Parse(server.Url).Connection!.ToFactory(TimeSpan.FromSeconds(30)).CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        await what(channel);
    }

    public override Task BreakAsync() => server.KillAsync();

    public override Task MendAsync() => server.StartAgainAsync();

    public void Freeze() => server.Freeze();

    public void Thaw() => server.Thaw();

    /// <summary>The broker is the class's; a test that failed in the middle leaves it as it found it.</summary>
    public override async ValueTask DisposeAsync() => await server.EnsureRunningAsync();
}
