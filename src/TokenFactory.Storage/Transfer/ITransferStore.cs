using System.Data.Common;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Transfer;

/// <summary>A store that an installation is moved out of or into.</summary>
internal interface ITransferStore
{
    /// <summary><c>sqlite</c> or <c>postgres</c>.</summary>
    string Kind { get; }

    /// <summary>Refuses a store that is not there; opening one makes some.</summary>
    void RequirePresence();

    /// <summary>One consistent view of everything that is committed now. Changes nothing and keeps nobody from writing.</summary>
    Task<TransferView> ReadAsync(CancellationToken cancel);

    /// <summary>Keeps every gateway from serving the store until it is given back; taken before its schema is made.</summary>
    IDisposable Claim();

    /// <summary>One transaction that holds the whole import: it is committed once the store's own rows prove equal to the file's, or nothing is.</summary>
    Task<TransferTarget> WriteAsync(CancellationToken cancel);

    /// <summary>For the statistics that a store keeps of its tables; after the commit.</summary>
    Task SettleDownAsync(CancellationToken cancel);

    /// <returns>Null when the cause is not the store's.</returns>
    StorageException? Explain(Exception cause);
}

/// <summary>A transaction's view of a store.</summary>
internal class TransferView(DbConnection connection, DbTransaction transaction, TransferSql sql, StoredValues values) : IAsyncDisposable
{
    public StoredValues Values => values;

    protected DbConnection Connection => connection;

    protected DbTransaction Transaction => transaction;

    public Task<DbDataReader> ReadAsync(TransferTable table, CancellationToken cancel) => Command(sql.Select(table)).ExecuteReaderAsync(cancel);

    public async Task<long> CountAsync(string table, CancellationToken cancel)
    {
        await using var command = Command($"SELECT count(*) FROM {table}");
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }

    public async ValueTask DisposeAsync()
    {
        await transaction.DisposeAsync();
        await connection.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Without a limit of time: how long a table takes depends on its size.</summary>
    protected DbCommand Command(string text)
    {
        var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = text;
        command.CommandTimeout = 0;
        return command;
    }

    protected async Task ExecuteAsync(string text, CancellationToken cancel)
    {
        await using var command = Command(text);
        await command.ExecuteNonQueryAsync(cancel);
    }
}

/// <summary>A transaction that writes an import. Disposed without a commit, it leaves nothing.</summary>
internal abstract class TransferTarget(DbConnection connection, DbTransaction transaction, TransferSql sql, StoredValues values)
    : TransferView(connection, transaction, sql, values)
{
    /// <summary>For the rows of one table, in their order.</summary>
    public abstract Task<ITableWriter> OpenAsync(TransferTable table, CancellationToken cancel);

    public Task CommitAsync(CancellationToken cancel) => Transaction.CommitAsync(cancel);
}

/// <summary>Takes a table's rows. One at a time and at once: nobody else waits for what a transfer's process does.</summary>
internal interface ITableWriter : IAsyncDisposable
{
    /// <param name="row">The table's columns in their order; read before the call returns.</param>
    ValueTask WriteAsync(object?[] row, CancellationToken cancel);

    /// <summary>After the last row.</summary>
    Task CompleteAsync(CancellationToken cancel);
}
