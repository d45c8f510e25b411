using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Outbox;

namespace TokenFactory.Storage.Sqlite.Writer;

/// <summary>Appends events. Their bytes are made here, once, inside the transaction of what they tell, and never again.</summary>
internal sealed class OutboxRows(RawConnection connection, UsageEventWriter usage, AuditEventWriter audit, TimeProvider clock) : IDisposable
{
    private readonly RawStatement _insert = connection.Prepare("INSERT INTO outbox (event_id, type, body, created_at) VALUES (?,?,?,?)", kept: true);
    private readonly RequestEventWriter _steps = new();

    // The record outlives the event: who records a denial again tells it no second time, however late.
    private readonly RawStatement _unrecorded = connection.Prepare(
        "INSERT INTO outbox (event_id, type, body, created_at) SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM audit_records WHERE record_id = ?1)", kept: true);

    public void Append(Settlement settlement) => _insert.Row()
        .Bind(settlement.Admission.RequestId).Bind(UsageEventWriter.Type).Bind(usage.Write(settlement)).Bind(clock.GetUtcNow())
        .Run();

    public void Append(Adjustment adjustment) => _insert.Row()
        .Bind(adjustment.Id).Bind(UsageEventWriter.Type).Bind(usage.Write(adjustment)).Bind(clock.GetUtcNow())
        .Run();

    /// <summary>Before its audit record, and nothing where there is one.</summary>
    public void Append(Denial denial) => _unrecorded.Row()
        .Bind(denial.RequestId).Bind(AuditEventWriter.Type).Bind(audit.Write(denial)).Bind(clock.GetUtcNow())
        .Run();

    public void AppendAdmitted(Admission admission) => _insert.Row()
        .Bind(RequestEventWriter.AdmittedId(admission.RequestId)).Bind(RequestEventWriter.Type).Bind(_steps.Admitted(admission)).Bind(clock.GetUtcNow())
        .Run();

    public void Dispose()
    {
        _steps.Dispose();
        _insert.Dispose();
        _unrecorded.Dispose();
        usage.Dispose();
        audit.Dispose();
    }
}
