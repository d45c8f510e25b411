using TokenFactory.Storage.Tests.Relay;
using Xunit;

namespace TokenFactory.Storage.Tests.Sqlite;

public sealed class SqliteSinkRelayTests : SinkRelayContract
{
    [Fact]
    public async Task P10_Events_leave_the_outbox_only_when_old_and_behind_every_sink()
    {
        await using var store = await SqliteUnderTest.OpenAsync();
        await store.SettleAsync(6);
        var outbox = await store.OutboxAsync();
        await store.Outbox.AdvanceAsync("a", outbox[5]);
        await store.Outbox.AdvanceAsync("b", outbox[3]);
        Assert.Equal(0, await store.Outbox.TrimAsync(["a", "b"]));

        await store.CloseAsync();
        await using var later = await SqliteUnderTest.OpenAsync(clock: new ShiftedClock(TimeSpan.FromDays(8)), directory: store.Home);
        Assert.Equal(0, await later.Outbox.TrimAsync(["a", "b", "never moved"]));
        Assert.Equal(4, await later.Outbox.TrimAsync(["a", "b"]));
        Assert.Equal(outbox.Skip(4).Select(one => one.EventId), (await later.OutboxAsync()).Select(one => one.EventId));

        Assert.Equal(2, await later.Outbox.TrimAsync(["a"]));
        await later.SettleAsync(1);
        Assert.True((await later.OutboxAsync()).Single().Seq > outbox[5].Seq, "a number was used again, its event would never be relayed");
    }

    private protected override async Task<StoreUnderTest> OpenAsync() => await SqliteUnderTest.OpenAsync();
}
