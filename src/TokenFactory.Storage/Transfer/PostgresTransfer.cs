using System.Data;
using Npgsql;
using TokenFactory.Storage.Postgres;

namespace TokenFactory.Storage.Transfer;

/// <summary>Moves an installation out of or into a database.</summary>
internal sealed class PostgresTransfer(PostgresDatabase database) : ITransferStore
{
    public string Kind => "postgres";

    public void RequirePresence()
    {
        // The connection says so itself.
    }

    public async Task<TransferView> ReadAsync(CancellationToken cancel)
    {
        var (connection, transaction) = await BeginAsync(IsolationLevel.RepeatableRead, "SET TRANSACTION READ ONLY; SELECT 1", cancel);
        return new TransferView(connection, transaction, TransferSql.Postgres, PostgresValues.Instance);
    }

    /// <summary>No gateway opens its journal without a row of its own in <c>instances</c>, which the import's transaction locks.</summary>
    public IDisposable Claim() => Nothing.Instance;

    public async Task<TransferTarget> WriteAsync(CancellationToken cancel)
    {
        var (connection, transaction) = await BeginAsync(
            IsolationLevel.ReadCommitted, "SET LOCAL lock_timeout = '10s'; LOCK TABLE instances IN SHARE ROW EXCLUSIVE MODE", cancel);
        return new PostgresTarget(connection, transaction);
    }

    public async Task SettleDownAsync(CancellationToken cancel)
    {
        await using var command = database.Pool.CreateCommand("ANALYZE admissions, settlements, audit_records, outbox, usage_days");
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(cancel);
    }

    public StorageException? Explain(Exception cause) => database.Explain(cause);

    /// <summary>Without the limits that a role or a database may set for a service's short transactions.</summary>
    private async Task<(NpgsqlConnection, NpgsqlTransaction)> BeginAsync(IsolationLevel isolation, string first, CancellationToken cancel)
    {
        var connection = await database.Pool.OpenConnectionAsync(cancel);
        try
        {
            var transaction = await connection.BeginTransactionAsync(isolation, cancel);
            await using var command = new NpgsqlCommand("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; " + first, connection, transaction);
            await command.ExecuteNonQueryAsync(cancel);
            return (connection, transaction);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private sealed class Nothing : IDisposable
    {
        public static Nothing Instance { get; } = new();

        public void Dispose()
        {
            // The transaction's end gives everything back.
        }
    }
}
