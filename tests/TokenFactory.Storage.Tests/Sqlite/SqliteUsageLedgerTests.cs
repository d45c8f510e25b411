using Microsoft.Extensions.DependencyInjection;
using TokenFactory.Storage.Sqlite;
using TokenFactory.Storage.Tests.Ledger;
using Xunit;

namespace TokenFactory.Storage.Tests.Sqlite;

public sealed class SqliteUsageLedgerTests : UsageLedgerContract
{
    [Fact]
    public async Task Summaries_and_pages_are_answered_from_their_indexes()
    {
        await using var store = await SqliteUnderTest.OpenAsync();
        Assert.Contains("sqlite_autoindex_usage_days", await PlanAsync(store, "SELECT day, model, sum(cost_nano_usd) FROM usage_days WHERE tenant = 'a' AND day >= 1 AND day < 9 GROUP BY day, model"), StringComparison.Ordinal);
        var page = await PlanAsync(store, "SELECT * FROM settlements WHERE tenant = 'a' AND (accepted_at, request_id) < (1, x'00') ORDER BY accepted_at DESC, request_id DESC LIMIT 5");
        Assert.Contains("ix_settlements_page", page, StringComparison.Ordinal);
        Assert.DoesNotContain("TEMP B-TREE", page, StringComparison.Ordinal);
    }

    private static async Task<string> PlanAsync(SqliteUnderTest store, string sql)
    {
        await using var connection = store.Services.GetRequiredService<SqliteFile>().Open();
        await using var command = connection.CreateCommand();
        command.CommandText = "EXPLAIN QUERY PLAN " + sql;
        await using var reader = await command.ExecuteReaderAsync();
        var plan = "";
        while (await reader.ReadAsync())
        {
            plan += reader.GetString(3) + "\n";
        }

        return plan;
    }

    private protected override async Task<StoreUnderTest> OpenAsync() => await SqliteUnderTest.OpenAsync();
}
