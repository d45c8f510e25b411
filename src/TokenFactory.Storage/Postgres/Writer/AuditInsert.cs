using Npgsql;
using NpgsqlTypes;
using TokenFactory.Storage.Audit;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Outbox;

namespace TokenFactory.Storage.Postgres.Writer;

/// <summary>
/// Appends to this writer's chain, in the statement that decides what there is to tell. The chain's end is locked first: whatever an
/// earlier connection of this writer may still carry out comes before or after, and links to the same end.
/// </summary>
internal static class AuditInsert
{
    /// <summary>A chain that is not there would be begun anew by nobody's word: made when the writer connects, and by nothing later.</summary>
    public const string BeginSql = "INSERT INTO audit_chains (chain, sequence, hash) VALUES ($1, 0, sha256(uuid_send($1))) ON CONFLICT (chain) DO NOTHING";

    /// <summary>Denials with their events; nothing of what was recorded before.</summary>
    private const string DenialsSql =
        $"""
        WITH told AS (
          SELECT row_number() OVER (ORDER BY place) AS n, record_id, tenant, project, recorded_at, body
          FROM unnest($3, $4, $5, $6, $7) WITH ORDINALITY AS row(record_id, tenant, project, recorded_at, body, place)
          WHERE NOT EXISTS (SELECT 1 FROM audit_records WHERE audit_records.record_id = row.record_id)),
        {Linking}
        INSERT INTO outbox (event_id, type) SELECT record_id, $8 FROM told ORDER BY n
        """;

    /// <summary>
    /// The tables of a WITH that link what <c>told</c> has (n from 1, record_id, tenant, project, recorded_at, body) to chain $1 as
    /// records of kind $2. Without the chain's row a record has no place, and the statement is refused.
    /// </summary>
    public const string Linking =
        """
        chain_end AS (SELECT sequence, hash FROM audit_chains WHERE chain = $1 FOR UPDATE),
        linked AS (
          SELECT n, record_id, tenant, project, recorded_at, body, base, audit_chain(link) OVER (ORDER BY n ROWS UNBOUNDED PRECEDING) AS hash
          FROM (
            SELECT 0::bigint AS n, NULL::uuid AS record_id, NULL::text AS tenant, NULL::text AS project, NULL::timestamptz AS recorded_at, NULL::bytea AS body,
              sequence AS base, hash AS link FROM chain_end
            UNION ALL
            SELECT n, record_id, tenant, project, recorded_at, body, sequence, int8send(sequence + n) || body FROM told LEFT JOIN chain_end ON true) AS step),
        recorded AS (
          INSERT INTO audit_records (record_id, chain, sequence, tenant, project, kind, recorded_at, body, previous, hash)
          SELECT record_id, $1, base + n, tenant, project, $2, recorded_at, body, previous, hash
          FROM (SELECT linked.*, lag(hash) OVER (ORDER BY n) AS previous FROM linked) AS chained WHERE n > 0),
        moved AS (
          UPDATE audit_chains SET sequence = last.sequence, hash = last.hash
          FROM (SELECT base + n AS sequence, hash FROM linked WHERE n > 0 ORDER BY n DESC LIMIT 1) AS last WHERE chain = $1)
        """;

    /// <param name="rows">No two of one request.</param>
    public static NpgsqlBatchCommand Of(Guid chain, IReadOnlyList<Denial> rows)
    {
        using var bodies = new AuditBodyWriter();
        var command = Command(DenialsSql, chain, AuditKind.Denial);
        new ColumnArrays<Denial>(rows, command)
            .Ids(static row => row.RequestId).Texts(static row => row.Tenant).Texts(static row => row.Project).Times(static row => row.DeniedAt)
            .Bytes(row => bodies.Write(row).ToArray());
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = RecordedEvent.Denial, NpgsqlDbType = NpgsqlDbType.Text });
        return command;
    }

    /// <summary>With the two parameters that <see cref="Linking"/> needs; the statement's own start with $3.</summary>
    public static NpgsqlBatchCommand Command(string sql, Guid chain, string kind) => new(sql)
    {
        Parameters = { new NpgsqlParameter<Guid> { TypedValue = chain }, new NpgsqlParameter<string> { TypedValue = kind } },
    };
}
