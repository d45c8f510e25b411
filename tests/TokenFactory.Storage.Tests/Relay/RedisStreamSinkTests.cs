using System.Text;
using TokenFactory.Storage.Relay;
using TokenFactory.TestKit.Servers;
using Xunit;

namespace TokenFactory.Storage.Tests.Relay;

/// <summary>The Redis stream sink on a real Redis.</summary>
public sealed class RedisStreamSinkTests : RemoteSinkContract
{
    private const string Password = "pa55-of-the-test";

    private RedisServer Server => ((RedisUnderTest)Under).Server;

    private protected override async Task<SinkUnderTest> StartAsync() => await RedisUnderTest.StartAsync();

    [Fact]
    public async Task An_entry_holds_the_events_id_its_type_and_the_event()
    {
        var one = SinkUnderTest.One(10, "tokenfactory.audit.v1");
        using var sink = await OpenAsync(Server.Url);

        await sink.DeliverAsync([one], default);

        var fields = Assert.Single(await ((RedisUnderTest)Under).EntriesAsync());
        Assert.Equal(["id", "type", "event"], fields.Keys);
        Assert.Equal([one.EventId.ToString("D"), "tokenfactory.audit.v1", Encoding.UTF8.GetString(one.Body.Span)], fields.Values);
    }

    [Fact]
    public async Task P10_A_stream_with_a_length_is_trimmed_at_its_old_end()
    {
        var events = SinkUnderTest.Some(2000, padding: 10);
        using var sink = RedisUnderTest.New(Server.Url, maxLength: 100);
        await sink.OpenAsync(default);
        foreach (var batch in events.Chunk(100))
        {
            await sink.DeliverAsync(batch, default);
        }

        var taken = await Under.TakenAsync();

        Assert.InRange(taken.Count, 100, 400);
        Assert.Equal(Expected(events[^taken.Count..]), taken);
    }

    [Fact]
    public async Task P2_Another_type_at_the_key_is_an_outage_until_it_is_moved_away()
    {
        Assert.Equal("+OK", await Server.SendAsync("SET", RedisUnderTest.Stream, "somebody's"));

        await IsOutageUntilAsync("is no stream", () => Server.SendAsync("RENAME", RedisUnderTest.Stream, "elsewhere"));
    }

    [Fact]
    public async Task P2_A_full_memory_is_an_outage_and_takes_no_part_of_a_batch()
    {
        Assert.Equal("+OK", await Server.SendAsync("CONFIG", "SET", "maxmemory-policy", "noeviction"));
        Assert.Equal("+OK", await Server.SendAsync("CONFIG", "SET", "maxmemory", "1"));

        await IsOutageUntilAsync("out of memory", () => Server.SendAsync("CONFIG", "SET", "maxmemory", "0"));
    }

    [Fact]
    public async Task P2_A_replica_is_an_outage_until_it_is_the_primary()
    {
        // Of nobody: it refuses writes just the same.
        Assert.Equal("+OK", await Server.SendAsync("REPLICAOF", "127.0.0.1", "1"));

        await IsOutageUntilAsync("is a replica", () => Server.SendAsync("REPLICAOF", "NO", "ONE"));
    }

    [Fact]
    public async Task P2_Forgotten_scripts_are_given_again()
    {
        using var sink = await OpenAsync(Server.Url);
        await sink.DeliverAsync(SinkUnderTest.Some(1), default);
        await Server.FlushScriptsAsync();
        var outbox = new ListOutbox();
        outbox.Add(SinkUnderTest.Some(3));

        await RelayAsync(outbox, () => outbox.Cursor == 3);

        Assert.Equal(4, (await Under.TakenAsync()).Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData(":wrong-one@")]
    public async Task P8_A_refused_password_is_told_without_the_password(string credentials)
    {
        await using var guarded = await RedisServer.StartAsync(Password);
        using var sink = RedisUnderTest.New($"redis://{credentials}127.0.0.1:{guarded.Port}", TimeSpan.FromSeconds(5));

        var told = await Assert.ThrowsAsync<SinkUnavailableException>(() => sink.OpenAsync(default));

        Assert.Contains("refuses the password", told.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong-one", told.Message, StringComparison.Ordinal);
        using var right = await OpenAsync(guarded.Url);
        await right.DeliverAsync(SinkUnderTest.Some(1), default);
    }

    private static async Task<RedisStreamSink> OpenAsync(string url)
    {
        var sink = RedisUnderTest.New(url);
        await sink.OpenAsync(default);
        return sink;
    }

    /// <summary>Nothing is taken and nothing rejected while it lasts; afterwards everything is taken, once.</summary>
    private async Task IsOutageUntilAsync(string told, Func<Task> mend)
    {
        var events = SinkUnderTest.Some(20);
        using var sink = RedisUnderTest.New(Server.Url);

        var failure = await Assert.ThrowsAsync<SinkUnavailableException>(async () =>
        {
            await sink.OpenAsync(default);
            await sink.DeliverAsync(events, default);
        });
        Assert.Contains(told, failure.Message, StringComparison.Ordinal);

        await mend();
        await sink.OpenAsync(default);
        await sink.DeliverAsync(events, default);
        Assert.Equal(Expected(events), await Under.TakenAsync());
    }
}
