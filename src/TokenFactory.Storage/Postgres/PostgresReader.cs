using System.Data.Common;
using Npgsql;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Postgres;

/// <summary>Reads from the primary: a replica may show one settlement and not an earlier one.</summary>
internal sealed class PostgresReader(PostgresDatabase database) : StoreReader(PostgresValues.Instance)
{
    protected override async ValueTask<DbConnection> OpenAsync(CancellationToken cancel) => await database.Pool.OpenConnectionAsync(cancel);

    /// <summary>In one round trip, and so in one transaction, which the name of the tenant does not outlive.</summary>
    protected override async Task<DbDataReader> ExecuteAsync(DbCommand command, string? tenant, CancellationToken cancel)
    {
        if (tenant is null)
        {
            return await base.ExecuteAsync(command, tenant, cancel);
        }

        var query = new NpgsqlBatchCommand(command.CommandText);
        foreach (NpgsqlParameter parameter in command.Parameters)
        {
            query.Parameters.Add(parameter.Clone());
        }

        await using var batch = new NpgsqlBatch((NpgsqlConnection)command.Connection!)
        {
            BatchCommands = { new NpgsqlBatchCommand("SELECT set_config('tokenfactory.tenant', $1, true)") { Parameters = { new() { Value = tenant } } }, query },
        };
        var reader = await batch.ExecuteReaderAsync(cancel);
        await reader.NextResultAsync(cancel);
        return reader;
    }

    protected override Exception Explain(DbException cause) => cause is NpgsqlException ? database.Explain(cause)! : cause;
}
