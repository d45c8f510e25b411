using System.Data.Common;
using Microsoft.Data.Sqlite;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Sqlite;

internal sealed class SqliteReader(SqliteFile file) : StoreReader(SqliteValues.Instance)
{
    protected override ValueTask<DbConnection> OpenAsync(CancellationToken cancel) => ValueTask.FromResult<DbConnection>(file.Open());

    protected override Exception Explain(DbException cause) => cause is SqliteException refusal ? file.Explain(refusal) : cause;
}
