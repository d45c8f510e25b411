using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Postgres;
using Xunit;

namespace TokenFactory.Storage.Tests.Postgres;

public sealed class PostgresOutboxTests
{
    private const string Sink = "billing";

    [Fact]
    public async Task P2_An_event_whose_commit_comes_late_is_not_passed_by()
    {
        await using var store = await PostgresUnderTest.OpenAsync();
        await using var late = await store.ConnectAsync();
        await using var transaction = await late.BeginTransactionAsync();
        await using (var insert = new NpgsqlCommand("INSERT INTO outbox (event_id, type, body) VALUES (gen_random_uuid(), 'late', '')", late, transaction))
        {
            await insert.ExecuteNonQueryAsync();
        }

        await store.SettleAsync(1);
        Assert.Empty((await store.Outbox.ReadAsync(Sink, 10, default)).Messages);

        await transaction.CommitAsync();
        var messages = await ReadAsync(store, 2);
        Assert.Equal(["late", "tokenfactory.usage.v1"], messages.Select(message => message.Type));
        await store.Outbox.AdvanceAsync(Sink, messages[0]);
        Assert.Equal(messages[1].EventId, Assert.Single((await store.Outbox.ReadAsync(Sink, 10, default)).Messages).EventId);
    }

    [Fact]
    public async Task A_sink_is_served_by_one_replica_and_by_another_when_that_one_is_silent()
    {
        await using var one = await PostgresUnderTest.OpenAsync();
        await using var other = await PostgresUnderTest.OpenAsync(one.Server, one.Database);
        var batch = (await SettledAsync(one, 3))[..2];

        Assert.Empty((await other.Outbox.ReadAsync(Sink, 10, default)).Messages);
        await other.Outbox.AdvanceAsync(Sink, batch[1]);
        Assert.Equal(2, (await one.Outbox.ReadAsync(Sink, 2, default)).Messages.Count);

        await one.Outbox.AdvanceAsync(Sink, batch[0]);
        await one.ExecuteAsync("UPDATE sink_cursors SET leased_until = now() - interval '1 second'");
        Assert.Equal(batch[1].EventId, (await other.Outbox.ReadAsync(Sink, 10, default)).Messages[0].EventId);
        Assert.Empty((await one.Outbox.ReadAsync(Sink, 10, default)).Messages);
    }

    [Fact]
    public async Task P2_A_cursor_never_moves_back()
    {
        await using var store = await PostgresUnderTest.OpenAsync();
        var messages = await SettledAsync(store, 3);

        await store.Outbox.AdvanceAsync(Sink, messages[2]);
        await store.Outbox.AdvanceAsync(Sink, messages[0]);

        Assert.Empty((await store.Outbox.ReadAsync(Sink, 10, default)).Messages);
    }

    [Fact]
    public async Task P10_A_day_of_the_outbox_is_dropped_only_when_old_and_behind_every_sink()
    {
        await using var store = await PostgresUnderTest.OpenAsync();
        var messages = await SettledAsync(store, 2);
        await store.Outbox.AdvanceAsync(Sink, messages[0]);
        await store.Outbox.AdvanceAsync("other", messages[1]);
        Assert.Equal(0, await store.Outbox.TrimAsync(["other"]));

        await using var later = PostgresUnderTest.Build(store.Server, store.Database, clock: new ShiftedClock(TimeSpan.FromDays(9)));
        var outbox = later.GetRequiredService<IOutbox>();
        Assert.Equal(0, await outbox.TrimAsync([Sink, "other"]));
        Assert.Equal(0, await outbox.TrimAsync(["other", "never moved"]));
        await store.Outbox.AdvanceAsync(Sink, messages[1]);
        Assert.Equal(1, await outbox.TrimAsync([Sink, "other"]));
        Assert.Equal(0, await store.CountAsync("outbox"));
        Assert.Equal(2, await store.CountAsync("settlements"));
    }

    [Fact]
    public async Task A_row_without_a_partition_is_kept_and_moved_when_its_own_is_made()
    {
        await using var store = await PostgresUnderTest.OpenAsync();
        var ahead = new ShiftedClock(TimeSpan.FromDays(100));
        var id = Ids.New(ahead);
        var admission = TestKit.Contracts.SomeRequest.Admission(store.InstanceId) with { RequestId = id };
        await store.Journal.AdmitAsync(admission);
        await store.Journal.SettleOnceAsync(TestKit.Contracts.SomeRequest.Settlement(admission));
        Assert.Equal(1, await store.CountAsync("settlements_default"));

        await using var later = PostgresUnderTest.Build(store.Server, store.Database, clock: ahead);
        Assert.NotEmpty(await later.GetRequiredService<Partitions>().MakeAsync());
        Assert.Empty(await later.GetRequiredService<Partitions>().MakeAsync());

        Assert.Equal(0, await store.CountAsync("settlements_default"));
        Assert.Equal(0, await store.CountAsync("outbox_default"));
        Assert.Equal(id, (await store.OutboxAsync()).Single().EventId);
        await store.Journal.SettleOnceAsync(TestKit.Contracts.SomeRequest.Settlement(admission, output: 1));
        Assert.Equal(1, await store.CountAsync("settlements"));
    }

    [Fact]
    public async Task P11_The_ledger_refuses_changes_and_removals()
    {
        await using var store = await PostgresUnderTest.OpenAsync();
        await store.SettleAsync(1);

        foreach (var sql in new[] { "UPDATE settlements SET output = 0", "DELETE FROM settlements", "DELETE FROM admissions", "UPDATE audit_records SET sequence = 9" })
        {
            var refusal = await Assert.ThrowsAsync<PostgresException>(() => store.ExecuteAsync(sql));
            Assert.Contains("append-only", refusal.MessageText, StringComparison.Ordinal);
        }
    }

    private static async Task<OutboxMessage[]> SettledAsync(PostgresUnderTest store, int count)
    {
        await store.SettleAsync(count);
        return await ReadAsync(store, count);
    }

    /// <summary>Transactions of the other tests on this server, as long as they are open, hold events back too.</summary>
    private static async Task<OutboxMessage[]> ReadAsync(PostgresUnderTest store, int count)
    {
        for (var tries = 0; ; tries++)
        {
            var messages = (await store.Outbox.ReadAsync(Sink, 10, default)).Messages;
            if (messages.Count >= count || tries > 1000)
            {
                Assert.Equal(count, messages.Count);
                return [.. messages];
            }

            await Task.Delay(20);
        }
    }
}
