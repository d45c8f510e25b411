using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Outbox;

namespace TokenFactory.Storage.Sqlite.Writer;

/// <summary>
/// Appends events, inside the transaction of what they tell. What has an audit record is told by it, and its row here only says that
/// it is to be told: its bytes are written once.
/// </summary>
internal sealed class OutboxRows(RawConnection connection, TimeProvider clock) : IDisposable
{
    private readonly RawStatement _recorded = connection.Prepare("INSERT INTO outbox (event_id, type, created_at) VALUES (?,?,?)", kept: true);
    private readonly RawStatement _step = connection.Prepare("INSERT INTO outbox (event_id, type, body, created_at) VALUES (?,?,?,?)", kept: true);
    private readonly RequestEventWriter _steps = new();

    // The record outlives the event: who records a denial again tells it no second time, however late.
    private readonly RawStatement _unrecorded = connection.Prepare(
        "INSERT INTO outbox (event_id, type, created_at) SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM audit_records WHERE record_id = ?1)", kept: true);

    public void Append(Settlement settlement) => _recorded.Row().Bind(settlement.Admission.RequestId).Bind(RecordedEvent.Usage).Bind(clock.GetUtcNow()).Run();

    public void Append(Adjustment adjustment) => _recorded.Row().Bind(adjustment.Id).Bind(RecordedEvent.Usage).Bind(clock.GetUtcNow()).Run();

    /// <summary>Before its audit record, and nothing where there is one.</summary>
    public void Append(Denial denial) => _unrecorded.Row().Bind(denial.RequestId).Bind(RecordedEvent.Denial).Bind(clock.GetUtcNow()).Run();

    public void AppendAdmitted(Admission admission) => _step.Row()
        .Bind(RequestEventWriter.AdmittedId(admission.RequestId)).Bind(RequestEventWriter.Type).Bind(_steps.Admitted(admission)).Bind(clock.GetUtcNow())
        .Run();

    public void Dispose()
    {
        _steps.Dispose();
        _recorded.Dispose();
        _step.Dispose();
        _unrecorded.Dispose();
    }
}
