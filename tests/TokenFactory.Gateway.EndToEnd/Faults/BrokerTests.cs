using System.Text;
using RabbitMQ.Client;
using StackExchange.Redis;
using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Servers;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Faults;

/// <summary>Events reach real brokers whatever becomes of those, and what a consumer refused comes back by command.</summary>
public sealed class BrokerTests
{
    private const string Queue = "chargeback";
    private const string Stream = "tokenfactory:usage";
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(150);
    private static readonly Plan _ask = new("/v1/chat/completions", Site.Reporting, "alpha beta", Stream: false, AsksUsage: false);

    [Fact]
    public async Task P2_Every_event_reaches_both_brokers_by_id_while_they_are_killed_and_started_again_under_load()
    {
        using var data = new TempFolder();
        await using var upstream = await FakeUpstream.StartAsync();
        await using var redis = await RedisServer.StartAsync("a-password", keeps: true);
        await using var rabbit = await RabbitServer.StartAsync();
        await using (var channel = await ChannelAsync(rabbit))
        {
            await channel.Channel.QueueDeclareAsync(Queue, durable: true, exclusive: false, autoDelete: false);
        }

        await using var gateway = await GatewayProcess.StartAsync(Options(upstream, data, redis, rabbit));
        using var client = Site.Client(gateway);
        var books = new Books(data.Path);
        using var stop = new CancellationTokenSource();
        var load = new Load(1, 71, _ => _ask);
        var running = load.RunAsync(client, stop.Token);
        try
        {
            await UntilAsync(async () => await AllAtAsync(books, 50));
            await Task.WhenAll(rabbit.KillAsync(), redis.KillAsync());
            var atDeath = load.Calls.Count;
            await UntilAsync(() => Task.FromResult(load.Calls.Count > atDeath + 100));
            await redis.StartAgainAsync();
            await rabbit.StartAgainAsync();
            var atReturn = (await books.OutboxIdsAsync()).Count;
            await UntilAsync(() => AllAtAsync(books, atReturn));
        }
        finally
        {
            await stop.CancelAsync();
            await running;
        }

        Assert.All(load.Calls, call => Assert.True(call.Whole));
        var written = await books.OutboxIdsAsync();
        await UntilAsync(() => AllAtAsync(books, written.Count));
        Assert.Equal(0, await gateway.StopAsync());

        Assert.Equal(load.Calls.Count, written.Count);
        var lines = books.Events().ToDictionary(one => one.Id, one => one.Line);
        foreach (var taken in new[] { await OfRedisAsync(redis), await OfRabbitAsync(rabbit) })
        {
            Assert.Equal(written, taken.Select(one => one.Id).Distinct());
            Assert.All(taken, one => Assert.Equal(lines[one.Id], one.Body));
        }

        Assert.Empty(await books.DeadLetterIdsAsync());
        Assert.DoesNotContain("a-password", gateway.Output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task P2_A_parked_event_is_listed_with_its_reason_and_delivered_by_a_replay()
    {
        using var data = new TempFolder();
        await using var upstream = await FakeUpstream.StartAsync();
        var poison = Guid.Empty;
        await using var receiver = new Receiver { Answer = ids => Task.FromResult(ids.Contains(poison) ? 422 : 204) };
        var options = Site.Options(upstream, data, more: $$"""sinks: [ { name: billing, kind: cloudevents, url: "{{receiver.Url}}" } ]""");
        await using var gateway = await GatewayProcess.StartAsync(options);
        using var client = Site.Client(gateway);
        var books = new Books(data.Path);
        for (var time = 0; time < 3; time++)
        {
            Assert.True((await Caller.MakeAsync(client, _ask)).Whole);
        }

        poison = (await books.OutboxIdsAsync())[1];
        await receiver.StartAsync();
        await UntilAsync(async () => (await books.DeadLetterIdsAsync()).Contains(poison));

        var listed = await gateway.RunToEndAsync(["admin", "dead-letters", "list", "--data", data.Path]);
        Assert.Equal(0, listed.ExitCode);
        Assert.Contains($"billing  {poison}  tokenfactory.usage.v1", listed.Output, StringComparison.Ordinal);
        Assert.Contains("422", listed.Output, StringComparison.Ordinal);
        Assert.NotEqual(0, (await gateway.RunToEndAsync(["admin", "dead-letters", "replay", "--data", data.Path, "--sink", "biling"])).ExitCode);

        var mended = poison;
        poison = Guid.Empty;
        Assert.Equal(0, (await gateway.RunToEndAsync(["admin", "dead-letters", "replay", "--data", data.Path, "--sink", "billing", "--id", mended.ToString("D")])).ExitCode);
        await UntilAsync(async () => (await books.DeadLetterIdsAsync()).Count == 0);

        Assert.Equal((await books.OutboxIdsAsync()).Order(), receiver.Taken.Order());
        Assert.Single(receiver.Postings.SelectMany(one => one.Events).Where(one => one.Id == mended).Select(one => one.Line).Distinct());
    }

    private static GatewayOptions Options(FakeUpstream upstream, TempFolder data, RedisServer redis, RabbitServer rabbit)
    {
        var site = Site.Options(upstream, data, more: $$"""
            sinks:
              - { name: events, kind: file, path: events.jsonl }
              - { name: stream, kind: redis-stream, connection: env:SINK_REDIS, stream: "{{Stream}}" }
              - { name: queue, kind: rabbitmq, connection: env:SINK_RABBITMQ, routing_key: {{Queue}} }
            """);
        return site with { Environment = new Dictionary<string, string?>(site.Environment) { ["SINK_REDIS"] = redis.Url, ["SINK_RABBITMQ"] = rabbit.Url } };
    }

    private static async Task<bool> AllAtAsync(Books books, long count) =>
        await books.CursorAsync("events") >= count && await books.CursorAsync("stream") >= count && await books.CursorAsync("queue") >= count;

    private static async Task<IReadOnlyList<(Guid Id, string Body)>> OfRedisAsync(RedisServer server)
    {
        using var connection = await ConnectionMultiplexer.ConnectAsync(Storage.Redis.RedisConnection.Parse(server.Url).Connection!.ToOptions(TimeSpan.FromSeconds(20)));
        var entries = (RedisResult[])await connection.GetDatabase().ExecuteAsync("XRANGE", Stream, "-", "+");
        return [.. entries.Select(entry => (string[])((RedisResult[])entry)[1]).Select(fields => (Guid.Parse(fields[1]), fields[5]))];
    }

    private static async Task<IReadOnlyList<(Guid Id, string Body)>> OfRabbitAsync(RabbitServer server)
    {
        await using var use = await ChannelAsync(server);
        var messages = new List<(Guid, string)>();
        while (await use.Channel.BasicGetAsync(Queue, autoAck: true) is { } message)
        {
            messages.Add((Guid.Parse(message.BasicProperties.MessageId!), Encoding.UTF8.GetString(message.Body.Span)));
        }

        return messages;
    }

    private static async Task<Use> ChannelAsync(RabbitServer server)
    {
        var connection = await new ConnectionFactory { Uri = new Uri(server.Url) }.CreateConnectionAsync();
        return new Use(connection, await connection.CreateChannelAsync());
    }

    private static async Task UntilAsync(Func<Task<bool>> done)
    {
        using var limit = new CancellationTokenSource(_patience);
        while (!await done())
        {
            Assert.False(limit.IsCancellationRequested, $"not within {_patience}");
            await Task.Delay(50, CancellationToken.None);
        }
    }

    private sealed record Use(IConnection Connection, IChannel Channel) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Channel.DisposeAsync();
            await Connection.DisposeAsync();
        }
    }
}
