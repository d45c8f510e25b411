using System.Data.Common;

namespace TokenFactory.Storage.Ledger;

/// <summary>Reads what is kept, and writes the little that is not the journal's, in one SQL that both databases speak.</summary>
internal abstract class StoreReader(StoredValues values)
{
    public StoredValues Values => values;

    /// <param name="tenant">Whose rows are asked for, so that the database too can keep to them; null for everybody's.</param>
    /// <param name="sql">Makes the text, and adds its parameters.</param>
    /// <param name="patient">Whether it may take as long as it takes: an operator waits for it, and no caller.</param>
    public async Task<List<T>> ReadAsync<T>(string? tenant, Func<DbCommand, string> sql, Func<DbDataReader, T> read, int most, CancellationToken cancel, bool patient = false)
    {
        try
        {
            await using var connection = await OpenAsync(cancel);
            await using var command = connection.CreateCommand();
            command.CommandText = sql(command);
            command.CommandTimeout = patient ? 0 : command.CommandTimeout;
            await using var reader = await ExecuteAsync(command, tenant, cancel);
            List<T> rows = [];
            while (rows.Count < most && await reader.ReadAsync(cancel))
            {
                rows.Add(read(reader));
            }

            return rows;
        }
        catch (DbException cause)
        {
            throw Explain(cause);
        }
    }

    /// <summary>Runs statements in one transaction, each only when the one before it changed something.</summary>
    /// <returns>Whether the first of them did.</returns>
    public async Task<bool> WriteAsync(IReadOnlyList<(string Sql, object[] Values)> statements, CancellationToken cancel)
    {
        try
        {
            await using var connection = await OpenAsync(cancel);
            await using var transaction = await connection.BeginTransactionAsync(cancel);
            foreach (var (sql, values) in statements)
            {
                await using var command = connection.CreateCommand();
                (command.Transaction, command.CommandText) = (transaction, sql);
                for (var index = 0; index < values.Length; index++)
                {
                    command.Parameters.Add(Values.Parameter($"${index + 1}", values[index]));
                }

                if (await command.ExecuteNonQueryAsync(cancel) == 0)
                {
                    return false;
                }
            }

            await transaction.CommitAsync(cancel);
            return true;
        }
        catch (DbException cause)
        {
            throw Explain(cause);
        }
    }

    protected abstract ValueTask<DbConnection> OpenAsync(CancellationToken cancel);

    protected virtual Task<DbDataReader> ExecuteAsync(DbCommand command, string? tenant, CancellationToken cancel) => command.ExecuteReaderAsync(cancel);

    /// <returns>What to throw in its place.</returns>
    protected virtual Exception Explain(DbException cause) => cause;
}
