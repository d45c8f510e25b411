using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace TokenFactory.Storage.Sqlite;

/// <summary>Gives EF Core's connections the same durability as the journal's: a key that was shown must exist after a power cut.</summary>
internal sealed class SqliteConnectionSetup(SqliteFile file) : DbConnectionInterceptor
{
    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData) =>
        file.Configure((SqliteConnection)connection);

    public override Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        file.Configure((SqliteConnection)connection);
        return Task.CompletedTask;
    }
}
