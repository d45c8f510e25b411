using TokenFactory.Storage.Journal;

namespace TokenFactory.Storage.Sqlite.Writer;

/// <summary>Adjustments of settlements that stay as they are.</summary>
internal sealed class AdjustmentRows(RawConnection connection) : IDisposable
{
    private readonly RawStatement _insert = connection.Prepare(
        """
        INSERT INTO adjustments (request_id, tenant, project, department, user_id, key_id, model, outcome, accepted_at, day,
          known_outcome, known_evidence, input_uncached, cache_read, cache_write, output, reasoning, cost_nano_usd, adjusted_at)
        SELECT request_id, tenant, project, department, user_id, key_id, model, outcome, accepted_at, day, ?2,?3,?4,?5,?6,?7,?8,?9,?10
        FROM settlements WHERE request_id = ?1 ON CONFLICT (request_id) DO NOTHING
        """,
        kept: true);

    /// <returns>False when the request was adjusted before; then nothing was written.</returns>
    public bool InsertOnce(Adjustment row) => _insert.Row()
        .Bind(row.Known.Admission.RequestId).Bind((long)row.Known.Outcome).Bind((long)row.Known.Evidence).Bind(row.Tokens).Bind(row.CostNanoUsd).Bind(row.Known.SettledAt)
        .Run() == 1;

    public void Dispose() => _insert.Dispose();
}
