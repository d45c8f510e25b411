using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Requests;

internal sealed class Cancellations(StoreReader store, TimeProvider clock) : ICancellations
{
    private const string RequestSql =
        """
        INSERT INTO cancellations (request_id, instance_id, tenant, key_id, requested_at)
        SELECT a.request_id, a.instance_id, a.tenant, nullif($4, ''), $5 FROM admissions a
        WHERE a.request_id = $1 AND ($2 = '' OR a.tenant = $2) AND ($3 = '' OR a.project = $3)
          AND NOT EXISTS (SELECT 1 FROM settlements s WHERE s.request_id = a.request_id)
        ON CONFLICT (request_id) DO NOTHING RETURNING request_id
        """;

    private const string PendingSql = "SELECT request_id FROM cancellations WHERE instance_id = $1";

    private const string ForgetSql =
        "DELETE FROM cancellations WHERE EXISTS (SELECT 1 FROM settlements s WHERE s.request_id = cancellations.request_id) RETURNING request_id";

    private readonly StoredValues _values = store.Values;

    public async Task RequestAsync(Guid id, string? tenant, string? project, string? keyId, CancellationToken cancel)
    {
        var asked = await RunAsync(tenant, RequestSql, cancel, _values.Of(id), tenant ?? "", project ?? "", keyId ?? "", _values.Of(clock.GetUtcNow()));
        if (asked.Count > 0)
        {
            // Its settlement may have been written between the look and this row, and would then not have taken it away.
            await ForgetSettledAsync(cancel);
        }
    }

    public async Task<IReadOnlyList<Guid>> PendingAsync(Guid instance, CancellationToken cancel) => await RunAsync(tenant: null, PendingSql, cancel, _values.Of(instance));

    public Task ForgetSettledAsync(CancellationToken cancel) => RunAsync(tenant: null, ForgetSql, cancel);

    private Task<List<Guid>> RunAsync(string? tenant, string sql, CancellationToken cancel, params object[] values) => store.ReadAsync(
        tenant,
        command =>
        {
            for (var index = 0; index < values.Length; index++)
            {
                command.Parameters.Add(_values.Parameter($"${index + 1}", values[index]));
            }

            return sql;
        },
        reader => _values.Id(reader, 0), int.MaxValue, cancel);
}
