using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Outbox;

namespace TokenFactory.Storage.Requests;

/// <param name="tellsSteps">Whether each wish is an event too, written with it.</param>
internal sealed class Cancellations(StoreReader store, OutboxSignal signal, bool tellsSteps, TimeProvider clock) : ICancellations
{
    private const string RequestSql =
        """
        INSERT INTO cancellations (request_id, instance_id, tenant, key_id, requested_at)
        SELECT a.request_id, a.instance_id, a.tenant, nullif($4, ''), $5 FROM admissions a
        WHERE a.request_id = $1 AND ($2 = '' OR a.tenant = $2) AND ($3 = '' OR a.project = $3)
          AND NOT EXISTS (SELECT 1 FROM settlements s WHERE s.request_id = a.request_id)
        ON CONFLICT (request_id) DO NOTHING
        """;

    private const string TellSql = "INSERT INTO outbox (event_id, type, body, created_at) VALUES ($1, $2, $3, $4)";

    private const string PendingSql = "SELECT request_id FROM cancellations WHERE instance_id = $1";

    private const string ForgetSql = "DELETE FROM cancellations WHERE EXISTS (SELECT 1 FROM settlements s WHERE s.request_id = cancellations.request_id)";

    private const string AdmissionSql =
        $"SELECT {OpenAdmissionColumns.All} FROM (SELECT * FROM admissions WHERE request_id = $1) AS a LEFT JOIN checkpoints c ON c.request_id = a.request_id";

    private readonly StoredValues _values = store.Values;

    public async Task RequestAsync(Guid id, string? tenant, string? project, string? keyId, CancellationToken cancel)
    {
        var at = clock.GetUtcNow();
        List<(string, object[])> statements = [(RequestSql, [_values.Of(id), tenant ?? "", project ?? "", keyId ?? "", _values.Of(at)])];
        if (tellsSteps && await AdmissionAsync(id, cancel) is { } admission)
        {
            using var events = new RequestEventWriter();
            statements.Add((TellSql, [_values.Of(RequestEventWriter.CancelRequestedId(id)), RequestEventWriter.Type, events.CancelRequested(admission, keyId, at).ToArray(), _values.Of(at)]));
        }

        if (await store.WriteAsync(statements, cancel))
        {
            signal.Raise();

            // Its settlement may have been written between the look and this row, and would then not have taken it away.
            await ForgetSettledAsync(cancel);
        }
    }

    public async Task<IReadOnlyList<Guid>> PendingAsync(Guid instance, CancellationToken cancel) =>
        await ReadAsync(PendingSql, instance, reader => _values.Id(reader, 0), cancel);

    public Task ForgetSettledAsync(CancellationToken cancel) => store.WriteAsync([(ForgetSql, [])], cancel);

    private async Task<Admission?> AdmissionAsync(Guid id, CancellationToken cancel) =>
        (await ReadAsync(AdmissionSql, id, reader => OpenAdmissionColumns.Read(reader, _values, row: 0).Admission, cancel)).FirstOrDefault();

    private Task<List<T>> ReadAsync<T>(string sql, Guid id, Func<System.Data.Common.DbDataReader, T> read, CancellationToken cancel) => store.ReadAsync(
        tenant: null,
        command =>
        {
            command.Parameters.Add(_values.Parameter("$1", _values.Of(id)));
            return sql;
        },
        read, int.MaxValue, cancel);
}
