using Npgsql;
using TokenFactory.Storage.Audit;
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
        $"""
        WITH adjusted AS (
          INSERT INTO adjustments (request_id, tenant, project, department, user_id, key_id, model, outcome, accepted_at, day,
            known_outcome, known_evidence, cost_nano_usd, adjusted_at, input_uncached, cache_read, cache_write, output, reasoning)
          SELECT s.request_id, s.tenant, s.project, s.department, s.user_id, s.key_id, s.model, s.outcome, s.accepted_at, s.day,
            row.known_outcome, row.known_evidence, row.cost, row.adjusted_at, row.input_uncached, row.cache_read, row.cache_write, row.output, row.reasoning
          FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            AS row(request_id, known_outcome, known_evidence, cost, adjusted_at, input_uncached, cache_read, cache_write, output, reasoning)
          JOIN settlements s USING (request_id)
          ON CONFLICT (request_id) DO NOTHING
          RETURNING *),
        counted AS (
          INSERT INTO usage_deltas (tenant, day, project, department, user_id, key_id, model, outcome,
            requests, input_uncached, cache_read, cache_write, output, reasoning, cost_nano_usd)
          SELECT tenant, day, project, department, user_id, key_id, model, outcome,
            0, input_uncached, cache_read, cache_write, output, reasoning, cost_nano_usd
          FROM adjusted),
        told AS (
          SELECT row_number() OVER (ORDER BY place) AS n, record.id AS record_id, tenant, project, adjusted.adjusted_at AS recorded_at, record.body
          FROM unnest($3, $13, $14) WITH ORDINALITY AS record(request_id, id, body, place) JOIN adjusted USING (request_id)),
        {AuditInsert.Linking}
        INSERT INTO outbox (event_id, type) SELECT record_id, $15 FROM told ORDER BY n
        """;

    /// <param name="entries">Some of which were settled before.</param>
    public static async Task RunAsync(NpgsqlConnection connection, Guid chain, IReadOnlyList<SettlementEntry> entries)
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
        using var audit = new AuditBodyWriter();
        await using var batch = new NpgsqlBatch(connection);
        var command = AuditInsert.Command(Sql, chain, AuditKind.Adjustment);
        new ColumnArrays<Adjustment>(adjustments, command)
            .Ids(static one => one.Known.Admission.RequestId).Ints(static one => (int)one.Known.Outcome).Ints(static one => (int)one.Known.Evidence)
            .Longs(static one => one.CostNanoUsd).Times(static one => one.Known.SettledAt).Tokens(static one => one.Tokens)
            .Ids(static one => one.Id).Bytes(one => audit.Write(one).ToArray());
        command.Parameters.Add([RecordedEvent.Usage]);
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
