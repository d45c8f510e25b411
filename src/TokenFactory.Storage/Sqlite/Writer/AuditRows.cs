using SQLitePCL;
using TokenFactory.Storage.Audit;
using TokenFactory.Storage.Journal;

namespace TokenFactory.Storage.Sqlite.Writer;

/// <summary>Appends to this writer's chain. Where the chain ends is written once for a batch, just before its commit.</summary>
internal sealed class AuditRows : IDisposable
{
    private readonly Guid _chain;
    private readonly AuditBodyWriter _bodies;
    private readonly RawStatement _insert;
    private readonly RawStatement _move;
    private End _committed;
    private End _end;

    public AuditRows(RawConnection connection, Guid chain, AuditBodyWriter bodies)
    {
        (_chain, _bodies) = (chain, bodies);
        _insert = connection.Prepare(
            "INSERT INTO audit_records (record_id, chain, sequence, tenant, project, kind, recorded_at, body, previous, hash) VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (record_id) DO NOTHING",
            kept: true);
        _move = connection.Prepare(
            "INSERT INTO audit_chains (chain, sequence, hash) VALUES (?,?,?) ON CONFLICT (chain) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash",
            kept: true);
        using var find = connection.Prepare("SELECT sequence, hash FROM audit_chains WHERE chain = ?");
        _end = _committed = find.Row().Bind(chain).First(static row => new End(raw.sqlite3_column_int64(row, 0), raw.sqlite3_column_blob(row, 1).ToArray()))
            ?? new End(0, AuditChain.Beginning(chain));
    }

    public void Append(Settlement settlement) => Append(settlement.Admission.RequestId, settlement.Admission, AuditKind.Request, settlement.SettledAt, _bodies.Write(settlement));

    public void Append(Adjustment adjustment) => Append(adjustment.Id, adjustment.Known.Admission, AuditKind.Adjustment, adjustment.Known.SettledAt, _bodies.Write(adjustment));

    public void Append(Denial denial) => Append(denial.RequestId, denial, AuditKind.Denial, denial.DeniedAt, _bodies.Write(denial));

    /// <summary>Inside the batch's transaction.</summary>
    public void WriteEnd()
    {
        if (_end != _committed)
        {
            _move.Row().Bind(_chain).Bind(_end.Sequence).Bind(_end.Hash).Run();
            _committed = _end;
        }
    }

    /// <summary>What was appended since the last commit did not happen.</summary>
    public void Forget() => _end = _committed;

    public void Dispose()
    {
        _insert.Dispose();
        _move.Dispose();
        _bodies.Dispose();
    }

    private void Append(Guid id, RequestFacts facts, string kind, DateTimeOffset at, ReadOnlySpan<byte> body)
    {
        var next = new End(_end.Sequence + 1, AuditChain.Next(_end.Hash, _end.Sequence + 1, body));
        var inserted = _insert.Row()
            .Bind(id).Bind(_chain).Bind(next.Sequence).Bind(facts.Tenant).Bind(facts.Project).Bind(kind).Bind(at).Bind(body).Bind(_end.Hash).Bind(next.Hash)
            .Run() == 1;

        // Only now: an insert that is refused leaves the chain where it was.
        _end = inserted ? next : _end;
    }

    private sealed record End(long Sequence, byte[] Hash);
}
