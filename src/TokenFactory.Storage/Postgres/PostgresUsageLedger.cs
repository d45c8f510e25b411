using System.Data.Common;
using Npgsql;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Postgres;

/// <summary>Reads from the primary: a replica may show one settlement and not an earlier one.</summary>
internal sealed class PostgresUsageLedger(PostgresDatabase database) : UsageLedger(PostgresValues.Instance)
{
    protected override IReadOnlyList<string> DailyTotals { get; } = [UsageFold.Days, UsageFold.Deltas];

    protected override async ValueTask<DbConnection> OpenAsync(CancellationToken cancel) => await database.Pool.OpenConnectionAsync(cancel);

    protected override Exception Explain(DbException cause) => cause is NpgsqlException ? database.Explain(cause)! : cause;
}
