using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Sqlite.Writer;

/// <summary>Settlements. Their attempts are told by their audit records.</summary>
internal sealed class SettlementRows(RawConnection connection) : IDisposable
{
    private readonly RawStatement _insert = connection.Prepare(
        """
        INSERT INTO settlements (request_id, tenant, project, department, user_id, key_id, tier, use_case, operation, stream, model,
          deployment, provider, region, upstream_model, upstream_version, price_id, policy_decision_id, outcome, evidence, error,
          input_uncached, cache_read, cache_write, output, reasoning, cost_nano_usd, attempts, accepted_at, settled_at, day,
          time_to_first_token_us, duration_us)
        VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (request_id) DO NOTHING
        """,
        kept: true);

    private readonly RawStatement _standing = connection.Prepare(
        "SELECT outcome, evidence, input_uncached, cache_read, cache_write, output, reasoning, cost_nano_usd FROM settlements WHERE request_id = ?",
        kept: true);

    /// <returns>False when the request was settled before; then nothing was written.</returns>
    public bool InsertOnce(Settlement row)
    {
        var admission = row.Admission;
        return _insert.Row()
            .Bind(admission.RequestId).Bind(admission.Tenant).Bind(admission.Project).Bind(admission.Department).Bind(admission.User)
            .Bind(admission.KeyId).Bind(admission.Tier).Bind(admission.UseCase).Bind(admission.Operation).Bind(admission.Stream)
            .Bind(admission.Model).Bind(row.Placement).Bind(admission.PolicyDecisionId).Bind((long)row.Outcome).Bind((long)row.Evidence)
            .Bind(row.Error).Bind(row.Tokens).Bind(row.CostNanoUsd).Bind((long)row.Attempts.Count).Bind(admission.AcceptedAt)
            .Bind(row.SettledAt).Bind((long)DateOnly.FromDateTime(admission.AcceptedAt.UtcDateTime).DayNumber)
            .Bind(row.TimeToFirstToken is { } first ? Micros.Of(first) : null).Bind(Micros.Of(row.Duration))
            .Run() == 1;
    }

    /// <summary>Of a request that is settled.</summary>
    public Standing StandingOf(Guid requestId)
    {
        var row = _standing.Row().Bind(requestId).First(columns: 8)!;
        return new Standing((Outcome)row[0], (Evidence)row[1], new TokenUsage(row[2], row[3], row[4], row[5], row[6]), row[7]);
    }

    public void Dispose()
    {
        _standing.Dispose();
        _insert.Dispose();
    }
}
