using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Outbox;

namespace TokenFactory.Storage.Sqlite.Writer;

/// <summary>Appends events. Their bytes are made here, once, inside the settlement's transaction, and never again.</summary>
internal sealed class OutboxRows(RawConnection connection, UsageEventWriter usage, TimeProvider clock) : IDisposable
{
    private readonly RawStatement _insert = connection.Prepare("INSERT INTO outbox (event_id, type, body, created_at) VALUES (?,?,?,?)", kept: true);

    public void Append(Settlement settlement) => _insert.Row()
        .Bind(settlement.Admission.RequestId).Bind(UsageEventWriter.Type).Bind(usage.Write(settlement)).Bind(clock.GetUtcNow())
        .Run();

    public void Append(Adjustment adjustment) => _insert.Row()
        .Bind(adjustment.Id).Bind(UsageEventWriter.Type).Bind(usage.Write(adjustment)).Bind(clock.GetUtcNow())
        .Run();

    public void Dispose()
    {
        _insert.Dispose();
        usage.Dispose();
    }
}
