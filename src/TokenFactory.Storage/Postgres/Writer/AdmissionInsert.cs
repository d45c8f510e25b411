using Npgsql;
using TokenFactory.Storage.Journal;

namespace TokenFactory.Storage.Postgres.Writer;

internal static class AdmissionInsert
{
    private const string Sql =
        """
        INSERT INTO admissions (request_id, instance_id, tenant, project, department, user_id, key_id, tier, use_case, operation, stream, model,
          policy_decision_id, estimated_input_tokens, accepted_at, deployment, provider, region, upstream_model, upstream_version, price_id,
          input_nano_usd, cache_read_nano_usd, cache_write_nano_usd, output_nano_usd, policy)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)
        ON CONFLICT (request_id) DO NOTHING
        """;

    public static NpgsqlBatchCommand Of(IReadOnlyList<Admission> rows)
    {
        var command = new NpgsqlBatchCommand(Sql);
        new ColumnArrays<Admission>(rows, command)
            .Ids(static row => row.RequestId).Ids(static row => row.InstanceId).Texts(static row => row.Tenant).Texts(static row => row.Project)
            .Texts(static row => row.Department).Texts(static row => row.User).Texts(static row => row.KeyId).Texts(static row => row.Tier)
            .Texts(static row => row.UseCase).Texts(static row => row.Operation).Flags(static row => row.Stream).Texts(static row => row.Model)
            .Texts(static row => row.PolicyDecisionId).Longs(static row => row.EstimatedInputTokens).Times(static row => row.AcceptedAt)
            .Priced(static row => row.Placement).Texts(static row => row.Policy);
        return command;
    }
}
