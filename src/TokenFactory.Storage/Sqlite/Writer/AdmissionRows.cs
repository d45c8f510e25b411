using TokenFactory.Storage.Journal;

namespace TokenFactory.Storage.Sqlite.Writer;

internal sealed class AdmissionRows(RawConnection connection) : IDisposable
{
    private readonly RawStatement _insert = connection.Prepare(
        """
        INSERT INTO admissions (request_id, instance_id, tenant, project, department, user_id, key_id, tier, use_case, operation, stream, model,
          deployment, provider, region, upstream_model, upstream_version, price_id, input_nano_usd, cache_read_nano_usd, cache_write_nano_usd,
          output_nano_usd, site, policy_decision_id, policy, estimated_input_tokens, accepted_at)
        VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (request_id) DO NOTHING
        """,
        kept: true);

    private readonly RawStatement _find = connection.Prepare("SELECT 1 FROM admissions WHERE request_id = ?", kept: true);

    /// <returns>False when it was there before.</returns>
    public bool InsertOnce(Admission row) => _insert.Row()
        .Bind(row.RequestId).Bind(row.InstanceId).Bind(row.Tenant).Bind(row.Project).Bind(row.Department).Bind(row.User).Bind(row.KeyId)
        .Bind(row.Tier).Bind(row.UseCase).Bind(row.Operation).Bind(row.Stream).Bind(row.Model)
        .BindPriced(row.Placement).Bind(row.PolicyDecisionId).Bind(row.Policy).Bind(row.EstimatedInputTokens).Bind(row.AcceptedAt)
        .Run() == 1;

    public bool Has(Guid requestId) => _find.Row().Bind(requestId).First(columns: 1) is not null;

    public void Dispose()
    {
        _insert.Dispose();
        _find.Dispose();
    }
}
