using Npgsql;
using NpgsqlTypes;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Outbox;

namespace TokenFactory.Storage.Postgres.Writer;

internal static class AdmissionInsert
{
    private const string Sql =
        """
        INSERT INTO admissions (request_id, instance_id, tenant, project, department, user_id, key_id, tier, use_case, operation, stream, model,
          policy_decision_id, estimated_input_tokens, accepted_at, deployment, provider, region, upstream_model, upstream_version, price_id,
          input_nano_usd, cache_read_nano_usd, cache_write_nano_usd, output_nano_usd, site, policy)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27)
        ON CONFLICT (request_id) DO NOTHING
        """;

    /// <summary>Only what this statement admits is told: a batch that is sent again tells nothing twice.</summary>
    private const string SqlWithEvents =
        $"""
        WITH admitted AS (
        {Sql} RETURNING request_id)
        INSERT INTO outbox (event_id, type, body)
        SELECT event.event_id, $31, event.body FROM unnest($28, $29, $30) WITH ORDINALITY AS event(request_id, event_id, body, place)
        JOIN admitted USING (request_id) ORDER BY event.place
        """;

    public static NpgsqlBatchCommand Of(IReadOnlyList<Admission> rows) => Of(rows, Sql);

    /// <summary>With each admission's own event, in one statement.</summary>
    public static NpgsqlBatchCommand WithEvents(IReadOnlyList<Admission> rows)
    {
        using var events = new RequestEventWriter();
        var command = Of(rows, SqlWithEvents);
        new ColumnArrays<Admission>(rows, command)
            .Ids(static row => row.RequestId).Ids(static row => RequestEventWriter.AdmittedId(row.RequestId)).Bytes(row => events.Admitted(row).ToArray());
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = RequestEventWriter.Type, NpgsqlDbType = NpgsqlDbType.Text });
        return command;
    }

    private static NpgsqlBatchCommand Of(IReadOnlyList<Admission> rows, string sql)
    {
        var command = new NpgsqlBatchCommand(sql);
        new ColumnArrays<Admission>(rows, command)
            .Ids(static row => row.RequestId).Ids(static row => row.InstanceId).Texts(static row => row.Tenant).Texts(static row => row.Project)
            .Texts(static row => row.Department).Texts(static row => row.User).Texts(static row => row.KeyId).Texts(static row => row.Tier)
            .Texts(static row => row.UseCase).Texts(static row => row.Operation).Flags(static row => row.Stream).Texts(static row => row.Model)
            .Texts(static row => row.PolicyDecisionId).Longs(static row => row.EstimatedInputTokens).Times(static row => row.AcceptedAt)
            .Priced(static row => row.Placement).Texts(static row => row.Policy);
        return command;
    }
}
