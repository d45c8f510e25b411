using Npgsql;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Journal.Writer;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Outbox;

namespace TokenFactory.Storage.Postgres.Writer;

/// <summary>
/// Adjusts what was settled before by who knew less. Rare, and so a round trip of its own after the batch: only there are
/// settlements seen that another process committed while the batch was written.
/// </summary>
internal static class AdjustmentInsert
{
    private const string StandingSql =
        "SELECT request_id, outcome, evidence, cost_nano_usd, input_uncached, cache_read, cache_write, output, reasoning FROM settlements WHERE request_id = ANY($1)";

    private const string Sql =
        "INSERT INTO outbox (event_id, type, body) SELECT event.id, $3, event.body FROM unnest($1, $2) AS event(id, body) ON CONFLICT (event_id) DO NOTHING";

    /// <param name="entries">Some of which were settled before.</param>
    public static async Task RunAsync(NpgsqlConnection connection, IReadOnlyList<SettlementEntry> entries)
    {
        var standing = await StandingAsync(connection, [.. entries.Select(static entry => entry.Settlement.Admission.RequestId).Distinct()]);
        Adjustment[] adjustments =
        [
            .. entries.Select(entry => standing.TryGetValue(entry.Settlement.Admission.RequestId, out var stands) ? Adjustment.Of(entry.Settlement, stands, entry.IsLate) : null).OfType<Adjustment>(),
        ];
        if (adjustments.Length == 0)
        {
            return;
        }

        // A writer of its own: the journal's may be at work again when this was given up and ends all the same.
        using var usage = new UsageEventWriter();
        await using var batch = new NpgsqlBatch(connection);
        var command = new NpgsqlBatchCommand(Sql);
        new ColumnArrays<Adjustment>(adjustments, command).Ids(static one => one.Id).Bytes(one => usage.Write(one).ToArray());
        command.Parameters.Add([UsageEventWriter.Type]);
        batch.BatchCommands.Add(command);
        await batch.ExecuteNonQueryAsync();
    }

    private static async Task<Dictionary<Guid, Standing>> StandingAsync(NpgsqlConnection connection, Guid[] ids)
    {
        await using var command = new NpgsqlCommand(StandingSql, connection);
        command.Parameters.Add([ids]);
        await using var reader = await command.ExecuteReaderAsync();
        Dictionary<Guid, Standing> standing = [];
        while (await reader.ReadAsync())
        {
            standing[reader.GetGuid(0)] = new Standing((Outcome)reader.GetInt32(1), (Evidence)reader.GetInt32(2), reader.Tokens(4), reader.GetInt64(3));
        }

        return standing;
    }
}
