using System.Data.Common;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Sqlite;

internal sealed class SqliteUsageLedger(SqliteFile file) : UsageLedger(SqliteValues.Instance)
{
    protected override IReadOnlyList<string> DailyTotals { get; } = ["usage_days"];

    protected override ValueTask<DbConnection> OpenAsync(CancellationToken cancel) => ValueTask.FromResult<DbConnection>(file.Open());
}
