using Npgsql;
using NpgsqlTypes;
using TokenFactory.Storage.Audit;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Outbox;

namespace TokenFactory.Storage.Postgres.Writer;

/// <summary>
/// Settlements with their audit records, their events and what they add to the day's usage in one statement: only what this statement
/// closed gets them. The records' bytes are made here, once; a batch that is sent again makes the same ones.
/// </summary>
internal sealed class SettlementInsert(Guid chain) : IDisposable
{
    private const string Beginning =
        """
        WITH closed AS (
          INSERT INTO settlements (request_id, tenant, project, department, user_id, key_id, tier, use_case, operation, stream, model,
            policy_decision_id, outcome, evidence, error, cost_nano_usd, attempts, accepted_at, settled_at, time_to_first_token_us, duration_us,
            deployment, provider, region, upstream_model, upstream_version, price_id, input_uncached, cache_read, cache_write, output, reasoning, day)
          SELECT row.*, (row.accepted_at AT TIME ZONE 'UTC')::date
          FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29,
            $30, $31, $32, $33, $34) AS row(id, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, accepted_at)
        """;

    private const string WhereAdmitted = "\nWHERE EXISTS (SELECT 1 FROM admissions WHERE admissions.request_id = row.id)";

    private const string End =
        $"""

          ON CONFLICT (request_id) DO NOTHING
          RETURNING request_id, settled_at, tenant, day, project, department, user_id, key_id, model, outcome, input_uncached, cache_read, cache_write, output, reasoning, cost_nano_usd),
        counted AS (
          INSERT INTO usage_deltas (tenant, day, project, department, user_id, key_id, model, outcome,
            requests, input_uncached, cache_read, cache_write, output, reasoning, cost_nano_usd)
          SELECT tenant, day, project, department, user_id, key_id, model, outcome,
            count(*), sum(input_uncached), sum(cache_read), sum(cache_write), sum(output), sum(reasoning), sum(cost_nano_usd)
          FROM closed GROUP BY tenant, day, project, department, user_id, key_id, model, outcome),
        forgotten AS (
          DELETE FROM checkpoints USING closed WHERE checkpoints.request_id = closed.request_id),
        ended AS (
          DELETE FROM cancellations USING closed WHERE cancellations.request_id = closed.request_id),
        told AS (
          SELECT row_number() OVER (ORDER BY place) AS n, request_id AS record_id, tenant, project, settled_at AS recorded_at, record.body
          FROM unnest($3, $35) WITH ORDINALITY AS record(request_id, body, place) JOIN closed USING (request_id)),
        {AuditInsert.Linking}
        INSERT INTO outbox (event_id, type) SELECT record_id, $36 FROM told ORDER BY n
        """;

    private const string Sql = Beginning + End;
    private const string SqlIfAdmitted = Beginning + WhereAdmitted + End;

    private readonly AuditBodyWriter _audit = new();

    /// <param name="rows">No two of one request.</param>
    /// <returns>Its count of rows is how many were not settled before.</returns>
    public NpgsqlBatchCommand Of(IReadOnlyList<Settlement> rows) => Of(rows, Sql);

    /// <summary>Only those whose admission is in the store, earlier commands of the same batch included.</summary>
    public NpgsqlBatchCommand IfAdmitted(IReadOnlyList<Settlement> rows) => Of(rows, SqlIfAdmitted);

    public void Dispose() => _audit.Dispose();

    private NpgsqlBatchCommand Of(IReadOnlyList<Settlement> rows, string sql)
    {
        var command = AuditInsert.Command(sql, chain, AuditKind.Request);
        new ColumnArrays<Settlement>(rows, command)
            .Ids(static row => row.Admission.RequestId).Texts(static row => row.Admission.Tenant).Texts(static row => row.Admission.Project)
            .Texts(static row => row.Admission.Department).Texts(static row => row.Admission.User).Texts(static row => row.Admission.KeyId)
            .Texts(static row => row.Admission.Tier).Texts(static row => row.Admission.UseCase).Texts(static row => row.Admission.Operation)
            .Flags(static row => row.Admission.Stream).Texts(static row => row.Admission.Model).Texts(static row => row.Admission.PolicyDecisionId)
            .Ints(static row => (int)row.Outcome).Ints(static row => (int)row.Evidence).Texts(static row => row.Error).Longs(static row => row.CostNanoUsd)
            .Ints(static row => row.Attempts.Count).Times(static row => row.Admission.AcceptedAt).Times(static row => row.SettledAt)
            .LongsOrNull(static row => row.TimeToFirstToken is { } first ? Micros.Of(first) : null).Longs(static row => Micros.Of(row.Duration))
            .Placed(static row => row.Placement).Tokens(static row => row.Tokens);
        new ColumnArrays<Settlement>(rows, command).Bytes(row => _audit.Write(row).ToArray());
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = RecordedEvent.Usage, NpgsqlDbType = NpgsqlDbType.Text });
        return command;
    }
}
