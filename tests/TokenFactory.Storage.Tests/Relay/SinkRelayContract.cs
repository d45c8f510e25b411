using Microsoft.Extensions.Logging.Abstractions;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Relay;
using Xunit;

namespace TokenFactory.Storage.Tests.Relay;

/// <summary>What the relay does over every store's outbox. Each implementation's tests derive from this and only say how to make one.</summary>
public abstract class SinkRelayContract : IAsyncLifetime
{
    private static readonly RelayOptions _quick = new()
    {
        Poll = TimeSpan.FromMilliseconds(20),
        Linger = TimeSpan.Zero,
        FirstPause = TimeSpan.FromMilliseconds(1),
        LongestPause = TimeSpan.FromMilliseconds(5),
        RejectionsBeforeParking = 3,
        TrimEvery = TimeSpan.FromMilliseconds(20),
    };

    private StoreUnderTest _store = null!;

    private protected abstract Task<StoreUnderTest> OpenAsync();

    public async ValueTask InitializeAsync() => _store = await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task P2_Every_event_arrives_in_order_with_the_outboxs_bytes()
    {
        await SettleAsync(250);
        var sink = new RecordingSink(maxBatch: 7);

        await RunUntilAsync(sink, () => sink.Taken.Count == 250);

        var outbox = await _store.OutboxAsync();
        Assert.Equal(outbox.Select(one => one.EventId), sink.Taken.Select(one => one.EventId));
        Assert.All(outbox.Zip(sink.Taken), pair => Assert.Equal(pair.First.Body.ToArray(), pair.Second.Body.ToArray()));
    }

    [Fact]
    public async Task P2_A_restarted_relay_goes_on_where_the_last_acknowledgement_stands()
    {
        await SettleAsync(10);
        var sink = new RecordingSink();
        await RunUntilAsync(sink, () => sink.Taken.Count == 10);

        await SettleAsync(5);
        var second = new RecordingSink();
        await RunUntilAsync(second, () => second.Taken.Count >= 5);

        Assert.Equal((await _store.OutboxAsync()).Skip(10).Select(one => one.EventId), second.Taken.Select(one => one.EventId));
    }

    [Fact]
    public async Task A_sink_that_is_down_is_waited_for_and_never_parks_an_event()
    {
        await SettleAsync(3);
        var sink = new RecordingSink { FailuresLeft = 25 };

        await RunUntilAsync(sink, () => sink.Taken.Count == 3);

        Assert.Empty(await Letters.ListAsync(null, 10));
        Assert.Equal(3, sink.Taken.DistinctBy(one => one.EventId).Count());
    }

    [Fact]
    public async Task A_poison_event_is_parked_alone_and_the_others_pass_in_order()
    {
        await SettleAsync(40);
        var outbox = await _store.OutboxAsync();
        var poison = outbox[17].EventId;
        var sink = new RecordingSink { Poison = message => message.EventId == poison };

        await RunUntilAsync(sink, () => sink.Taken.Count == 39);

        Assert.Equal(outbox.Select(one => one.EventId).Where(id => id != poison), sink.Taken.Select(one => one.EventId));
        var letter = Assert.Single(await Letters.ListAsync(sink.Name, 10));
        Assert.Equal((poison, 3, "422 this cannot be read"), (letter.EventId, letter.Attempts, letter.Error));
        Assert.Equal(outbox[17].Body.ToArray(), letter.Body.ToArray());
    }

    [Fact]
    public async Task A_replayed_dead_letter_is_delivered_with_its_bytes_and_is_gone()
    {
        await SettleAsync(3);
        var poison = (await _store.OutboxAsync())[1];
        var sink = new RecordingSink { Poison = message => message.EventId == poison.EventId };
        await RunUntilAsync(sink, () => sink.Taken.Count == 2);

        Assert.Equal(1, await Letters.ReplayAsync(sink.Name, poison.EventId));
        await RunUntilAsync(sink, () => Letters.ListAsync(null, 10).Result.All(letter => letter is { ReplayRequested: false, Attempts: 4 }));
        sink.Poison = _ => false;
        Assert.Equal(1, await Letters.ReplayAsync(sink.Name, null));
        await RunUntilAsync(sink, () => Letters.ListAsync(null, 10).Result.Count == 0);

        Assert.Equal(poison.Body.ToArray(), sink.Taken[^1].Body.ToArray());
    }

    [Fact]
    public async Task P2_An_event_whose_record_is_gone_is_parked_and_told_once_the_record_is_back()
    {
        await SettleAsync(5);
        var told = (await _store.OutboxAsync())[2];
        var place = (await _store.Trail.FindAsync(told.EventId, tenant: null, default))!.Sequence;
        await _store.TamperAsync($"CREATE TABLE kept AS SELECT * FROM audit_records WHERE sequence = {place}");
        await _store.TamperAsync($"DELETE FROM audit_records WHERE sequence = {place}");
        var sink = new RecordingSink();

        await RunUntilAsync(sink, () => sink.Taken.Count == 4);

        var letter = Assert.Single(await Letters.ListAsync(sink.Name, 10));
        Assert.Equal((told.EventId, 0), (letter.EventId, letter.Body.Length));
        Assert.Contains("audit verify", letter.Error, StringComparison.Ordinal);

        await Letters.ReplayAsync(sink.Name, null);
        await RunUntilAsync(sink, () => Letters.ListAsync(null, 10).Result.All(one => one is { ReplayRequested: false, Attempts: 2 }));
        await _store.TamperAsync("INSERT INTO audit_records SELECT * FROM kept");
        await Letters.ReplayAsync(sink.Name, null);
        await RunUntilAsync(sink, () => Letters.ListAsync(null, 10).Result.Count == 0);

        Assert.Equal(told.Body.ToArray(), sink.Taken[^1].Body.ToArray());
    }

    [Theory]
    [InlineData("previous = hash")]
    [InlineData("kind = 'denial'")]
    [InlineData("sequence = sequence + 1000")]
    public async Task P11_An_event_whose_record_was_changed_is_not_told_as_though_nothing_were(string change)
    {
        await SettleAsync(5);
        var told = (await _store.OutboxAsync())[2];
        var place = (await _store.Trail.FindAsync(told.EventId, tenant: null, default))!.Sequence;
        await _store.TamperAsync($"UPDATE audit_records SET {change} WHERE sequence = {place}");
        var sink = new RecordingSink();

        await RunUntilAsync(sink, () => sink.Taken.Count == 4);

        Assert.DoesNotContain(sink.Taken, one => one.EventId == told.EventId);
        Assert.Equal((told.EventId, 1, 0), Assert.Single(await Letters.ListAsync(sink.Name, 10)) is var letter ? (letter.EventId, letter.Attempts, letter.Body.Length) : default);
    }

    [Fact]
    public async Task A_stop_flushes_what_was_settled_just_before()
    {
        var sink = new RecordingSink();
        using var host = new RelayHost([sink], _store.Outbox, _quick with { Poll = TimeSpan.FromMinutes(1), Linger = TimeSpan.FromMinutes(1) }, TimeProvider.System, NullLogger<RelayHost>.Instance);
        await host.StartAsync(default);
        await SettleAsync(20);
        await _store.UntilRelayableAsync();

        await host.StopAsync(default);

        Assert.Equal(20, sink.Taken.Count);
    }

    private DeadLetters Letters => _store.Letters;

    private Task SettleAsync(int count) => _store.SettleAsync(count);

    private async Task RunUntilAsync(ISink sink, Func<bool> done)
    {
        using var metrics = new RelayMetrics(TimeProvider.System);
        using var stop = new CancellationTokenSource();
        var relay = new SinkRelay(sink, _store.Outbox, _quick, metrics, TimeProvider.System, new Random(1), NullLogger.Instance).RunAsync(stop.Token, stop.Token);
        for (var tries = 0; !done() && tries < 3000; tries++)
        {
            await Task.Delay(10);
        }

        await stop.CancelAsync();
        await relay.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.True(done());
    }
}
