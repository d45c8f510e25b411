using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Tests.Postgres;
using TokenFactory.Storage.Tests.Sqlite;
using TokenFactory.Storage.Transfer;
using Xunit;

namespace TokenFactory.Storage.Tests.Transfer;

/// <summary>A whole installation goes from SQLite to PostgreSQL and back, and is the same one there.</summary>
public sealed class RoundTripTests
{
    private static readonly UsageFilter _all = new() { Tenant = null };

    [Fact]
    public async Task Both_stores_tables_travel_in_the_same_columns()
    {
        await using var sqlite = await SqliteUnderTest.OpenAsync();
        await using var postgres = await PostgresUnderTest.OpenAsync();

        Assert.Equal(Shapes(sqlite), Shapes(postgres));
    }

    [Fact]
    public async Task P2_Every_row_of_every_table_is_the_same_after_the_way_there_and_back()
    {
        await using var first = await SqliteUnderTest.OpenAsync();
        await Moved.FillAsync(first);
        var there = await first.Services.ExportAsync();
        Assert.All(there.Tables, table => Assert.True(table.Rows > 0, table.Table + " is empty, and so proves nothing"));

        var server = await TestKit.Servers.PostgresServer.SharedAsync();
        await using var second = PostgresUnderTest.Build(server, await server.NewDatabaseAsync());
        await second.ImportAsync(there.File);
        var back = await second.ExportAsync();
        using var home = new TemporaryDirectory();
        await using var third = SqliteUnderTest.Build(home.Path);
        await third.ImportAsync(back.File);
        var again = await third.ExportAsync();

        Assert.Equal(there.Tables, back.Tables);
        Assert.Equal(there.Tables, again.Tables);
    }

    [Fact]
    public async Task P2_What_was_used_is_told_as_before()
    {
        await using var first = await SqliteUnderTest.OpenAsync();
        await Moved.FillAsync(first);
        await using var second = await MovedToPostgresAsync(first);
        await using var third = await MovedToSqliteAsync(second);

        var before = await ToldAsync(first.Ledger);
        Assert.Contains("\"Requests\":", before, StringComparison.Ordinal);
        Assert.Equal(before, await ToldAsync(second.Ledger));
        Assert.Equal(before, await ToldAsync(third.Ledger));
    }

    [Fact]
    public async Task A_group_of_a_day_goes_on_in_the_row_it_had()
    {
        await using var first = await SqliteUnderTest.OpenAsync();
        await first.SettleAsync(3);
        await using var second = await MovedToPostgresAsync(first);
        await using var third = await MovedToSqliteAsync(second);

        await second.SettleAsync(2);
        await second.AddUsageUpAsync();
        await third.SettleAsync(2);

        Assert.Equal(1, await second.CountAsync("usage_days"));
        Assert.Equal(1, await third.CountAsync("usage_days"));
    }

    [Fact]
    public async Task P2_Each_sink_goes_on_after_its_last_acknowledged_event()
    {
        await using var first = await SqliteUnderTest.OpenAsync();
        await Moved.FillAsync(first);
        await using var second = await MovedToPostgresAsync(first);
        await using var third = await MovedToSqliteAsync(second);
        var all = await first.OutboxAsync();

        foreach (var store in (StoreUnderTest[])[second, third])
        {
            await store.SettleAsync(2);
            await store.UntilRelayableAsync();
            var now = await store.OutboxAsync();
            Assert.Equal(all.Select(one => (one.EventId, Convert.ToHexString(one.Body.Span))), now.SkipLast(2).Select(one => (one.EventId, Convert.ToHexString(one.Body.Span))));

            Assert.Equal(Ids(now.Skip(5)), Ids(await Moved.RelayAsync(store.Outbox, "half", int.MaxValue)));
            Assert.Equal(Ids(now.TakeLast(2)), Ids(await Moved.RelayAsync(store.Outbox, "whole", int.MaxValue)));
            Assert.Equal(Ids(now), Ids(await Moved.RelayAsync(store.Outbox, "never", int.MaxValue)));
            Assert.Single(await store.Outbox.ReadReplaysAsync("whole", 10, default));
            Assert.Equal(
                (await first.Letters.ListAsync("whole", 100)).Select(Told),
                (await store.Letters.ListAsync("whole", 100)).Select(Told));
        }

        static IEnumerable<Guid> Ids(IEnumerable<Storage.Outbox.OutboxMessage> messages) => messages.Select(one => one.EventId);
        static string Told(Storage.Outbox.DeadLetter letter) => JsonSerializer.Serialize(letter);
    }

    [Fact]
    public async Task P2_A_sink_that_is_behind_what_was_trimmed_gets_everything_that_is_kept()
    {
        await using var first = await SqliteUnderTest.OpenAsync();
        await first.SettleAsync(10);
        await Moved.RelayAsync(first.Outbox, "sink", 4);
        await first.ExecuteAsync("DELETE FROM outbox WHERE seq <= 4");
        await using var second = await MovedToPostgresAsync(first);
        await second.UntilRelayableAsync();

        Assert.Equal((await first.OutboxAsync()).Select(one => one.EventId), (await Moved.RelayAsync(second.Outbox, "sink", 100)).Select(one => one.EventId));
    }

    [Fact]
    public async Task P2_What_was_open_is_settled_once_on_the_other_side()
    {
        await using var first = await SqliteUnderTest.OpenAsync();
        await Moved.FillAsync(first);
        await using var second = await MovedToPostgresAsync(first);
        await using var third = await MovedToSqliteAsync(second);

        foreach (var store in (StoreUnderTest[])[second, third])
        {
            var before = await store.CountAsync("settlements");

            Assert.Equal(3, await store.Orphans.SettleAsync());
            Assert.Equal(0, await store.Orphans.SettleAsync());
            Assert.Equal(before + 3, await store.CountAsync("settlements"));
            Assert.Equal(0, await store.CountAsync("checkpoints"));
            var counted = await store.Ledger.PageAsync(_all with { Outcome = Outcome.Orphaned }, null, 100, default);
            Assert.Equal(2, counted.Records.Count(one => one.Tokens.Output == 7));
        }
    }

    [Fact]
    public async Task Rows_of_earlier_months_and_days_get_partitions_of_their_own()
    {
        var past = new ShiftedClock(TimeSpan.FromDays(-100));
        await using var first = await SqliteUnderTest.OpenAsync();
        foreach (var clock in (TimeProvider[])[past, TimeProvider.System])
        {
            var admission = TestKit.Contracts.SomeRequest.Admission(first.InstanceId) with { RequestId = Ids.New(clock) };
            await first.Journal.AdmitAsync(admission);
            await first.Journal.SettleOnceAsync(TestKit.Contracts.SomeRequest.Settlement(admission));
        }

        await using var second = await MovedToPostgresAsync(first);

        foreach (var table in (string[])["admissions", "settlements", "audit_records", "outbox"])
        {
            Assert.Equal(2, await second.CountAsync(table));
            Assert.Equal(0, await second.CountAsync(table + "_default"));
        }
    }

    [Fact]
    public async Task A_store_that_is_served_is_exported_as_it_was_at_one_moment()
    {
        await using var store = await PostgresUnderTest.OpenAsync();
        await store.SettleAsync(100);
        using var file = new MemoryStream();
        var isWritten = false;

        var tables = await store.Transfer().ExportAsync(file, "1", Moved.NoPeppers, progress =>
        {
            // The first of the tables is read: what is settled now is in none of those to come.
            if (!isWritten)
            {
                isWritten = true;
                store.SettleAsync(10).GetAwaiter().GetResult();
            }
        });

        Assert.Equal([100, 100, 100], tables.Where(table => table.Table is "settlements" or "audit_records" or "outbox").Select(table => table.Rows));
        Assert.Equal(110, await store.CountAsync("settlements"));
    }

    private static IEnumerable<string> Shapes(StoreUnderTest store)
    {
        using var context = store.Services.GetRequiredService<IDbContextFactory<GatewayDbContext>>().CreateDbContext();
        return [.. TransferPlan.Of(context.Model).Tables.Select(table => $"{table.Name}({string.Join(", ", table.Shape)})")];
    }

    /// <summary>Every view of usage, as text.</summary>
    private static async Task<string> ToldAsync(IUsageLedger ledger)
    {
        List<object> told = [];
        foreach (var by in (UsageGrouping[])[UsageGrouping.None, UsageGrouping.Day, UsageGrouping.Day | UsageGrouping.Model | UsageGrouping.Key | UsageGrouping.Project])
        {
            told.Add(await ledger.SummariseAsync(_all, by, default));
        }

        told.Add((await ledger.SpendSinceAsync(DateTimeOffset.UnixEpoch, default)).OrderBy(one => one.User, StringComparer.Ordinal));
        string? cursor = null;
        do
        {
            var page = await ledger.PageAsync(_all, cursor, 7, default);
            told.Add(page.Records);
            cursor = page.Next;
        }
        while (cursor is not null);
        return JsonSerializer.Serialize(told);
    }

    private static async Task<PostgresUnderTest> MovedToPostgresAsync(StoreUnderTest from)
    {
        var server = await TestKit.Servers.PostgresServer.SharedAsync();
        var database = await server.NewDatabaseAsync();
        await using (var services = PostgresUnderTest.Build(server, database))
        {
            await services.ImportAsync((await from.Services.ExportAsync()).File);
        }

        return await PostgresUnderTest.OpenAsync(server, database);
    }

    private static async Task<SqliteUnderTest> MovedToSqliteAsync(StoreUnderTest from)
    {
        var home = new TemporaryDirectory();
        await using (var services = SqliteUnderTest.Build(home.Path))
        {
            await services.ImportAsync((await from.Services.ExportAsync()).File);
        }

        return await SqliteUnderTest.OpenAsync(home);
    }
}
