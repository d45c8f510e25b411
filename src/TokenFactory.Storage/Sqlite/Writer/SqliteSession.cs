using TokenFactory.Storage.Audit;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Journal.Writer;

namespace TokenFactory.Storage.Sqlite.Writer;

/// <summary>The writer's open connection with its statements. A failure of the store ends it; the next one starts clean.</summary>
internal sealed class SqliteSession : IDisposable
{
    private readonly bool _tellsSteps;
    private readonly RawStatement _begin;
    private readonly RawStatement _commit;
    private readonly RawStatement _endCancellation;
    private readonly RawStatement _look;
    private bool _hasCheckpoints;
    private bool _hasCancellations;

    public SqliteSession(SqliteFile file, SqliteStorageOptions options, TimeProvider clock)
    {
        _tellsSteps = options.LifecycleEvents;
        Connection = new RawConnection(file);
        try
        {
            _begin = Connection.Prepare("BEGIN IMMEDIATE", kept: true);
            _commit = Connection.Prepare("COMMIT", kept: true);
            _endCancellation = Connection.Prepare("DELETE FROM cancellations WHERE request_id = ?", kept: true);
            _look = Connection.Prepare("SELECT EXISTS (SELECT 1 FROM checkpoints), EXISTS (SELECT 1 FROM cancellations)", kept: true);
            Admissions = new AdmissionRows(Connection);
            Settlements = new SettlementRows(Connection);
            Adjustments = new AdjustmentRows(Connection);
            Checkpoints = new CheckpointRows(Connection, clock);
            Days = new UsageDayRows(Connection);
            Audit = new AuditRows(Connection, options.InstanceId, new AuditBodyWriter());
            Outbox = new OutboxRows(Connection, clock);
        }
        catch
        {
            Connection.Dispose();
            throw;
        }
    }

    public RawConnection Connection { get; }

    public AdmissionRows Admissions { get; }

    public SettlementRows Settlements { get; }

    public AdjustmentRows Adjustments { get; }

    public CheckpointRows Checkpoints { get; }

    public UsageDayRows Days { get; }

    public OutboxRows Outbox { get; }

    public AuditRows Audit { get; }

    /// <summary>Inside the writer's transaction; possibly a second time, after a rollback.</summary>
    public void Write(Entry entry)
    {
        switch (entry)
        {
            case AdmissionEntry admitted:
                if (Admissions.InsertOnce(admitted.Admission) && _tellsSteps)
                {
                    Outbox.AppendAdmitted(admitted.Admission);
                }

                break;
            case SettlementEntry settled:
                Settle(settled);
                break;
            case DenialEntry denied:
                Outbox.Append(denied.Denial);
                Audit.Append(denied.Denial);
                break;
            case CheckpointEntry noted:
                Checkpoints.Upsert(noted.Checkpoint);
                _hasCheckpoints = true;
                break;
            default:
                ((WorkEntry)entry).Run(this);
                break;
        }
    }

    /// <summary>From here on nobody else writes, so one look tells for the whole batch whether any request left something to take away: nearly never.</summary>
    public void Begin()
    {
        _begin.Run();
        var found = _look.Row().First(columns: 2)!;
        (_hasCheckpoints, _hasCancellations) = (found[0] != 0, found[1] != 0);
    }

    public void Commit()
    {
        Days.Write();
        Audit.WriteEnd();
        _commit.Run();
    }

    public void Rollback()
    {
        Days.Forget();
        Audit.Forget();
        Connection.Execute("ROLLBACK");
    }

    public void Dispose()
    {
        _begin.Dispose();
        _commit.Dispose();
        _endCancellation.Dispose();
        _look.Dispose();
        Admissions.Dispose();
        Settlements.Dispose();
        Adjustments.Dispose();
        Checkpoints.Dispose();
        Days.Dispose();
        Outbox.Dispose();
        Audit.Dispose();
        Connection.Dispose();
    }

    private void Settle(SettlementEntry entry)
    {
        var settlement = entry.Settlement;
        if (entry.NeedsAdmission && !Admissions.Has(settlement.Admission.RequestId))
        {
            return;
        }

        if (Settlements.InsertOnce(settlement))
        {
            Outbox.Append(settlement);
            ForgetRunning(settlement.Admission.RequestId);

            // Last: what came before may refuse the entry, and then it is neither linked nor counted.
            Audit.Append(settlement);
            Days.Add(settlement);
        }
        else if (Adjustment.Of(settlement, Settlements.StandingOf(settlement.Admission.RequestId), entry.IsLate) is { } adjustment)
        {
            Adjust(adjustment);
        }
    }

    private void ForgetRunning(Guid requestId)
    {
        if (_hasCheckpoints)
        {
            Checkpoints.Forget(requestId);
        }

        if (_hasCancellations)
        {
            _endCancellation.Row().Bind(requestId).Run();
        }
    }

    private void Adjust(Adjustment adjustment)
    {
        if (Adjustments.InsertOnce(adjustment))
        {
            Outbox.Append(adjustment);
            Audit.Append(adjustment);
            Days.Add(adjustment);
        }
    }
}
