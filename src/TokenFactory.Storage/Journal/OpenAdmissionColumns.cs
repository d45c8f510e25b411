using System.Data.Common;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Journal;

/// <summary>An open admission as both databases read it: an admission <c>a</c> with its last checkpoint <c>c</c>, if there is one.</summary>
internal static class OpenAdmissionColumns
{
    public const string All =
        """
        a.request_id, a.instance_id, a.tenant, a.project, a.department, a.user_id, a.key_id, a.tier, a.use_case, a.operation, a.stream,
          a.model, a.policy_decision_id, a.estimated_input_tokens, a.accepted_at,
          a.deployment, a.provider, a.region, a.upstream_model, a.upstream_version, a.price_id, a.input_nano_usd, a.cache_read_nano_usd, a.cache_write_nano_usd, a.output_nano_usd, a.site,
          c.deployment, c.provider, c.region, c.upstream_model, c.upstream_version, c.price_id, c.input_nano_usd, c.cache_read_nano_usd, c.cache_write_nano_usd, c.output_nano_usd, c.site,
          c.evidence, c.noted_at, c.input_uncached, c.cache_read, c.cache_write, c.output, c.reasoning,
          a.policy
        """;

    /// <summary>How many they are: what a statement selects after them begins there.</summary>
    public const int Count = 45;

    /// <param name="row">Where the store goes on from.</param>
    public static OpenAdmission Read(DbDataReader reader, StoredValues values, long row)
    {
        var admission = new Admission
        {
            RequestId = values.Id(reader, 0),
            InstanceId = values.Id(reader, 1),
            Tenant = reader.GetString(2),
            Project = reader.GetString(3),
            Department = reader.TextOrNull(4),
            User = reader.TextOrNull(5),
            KeyId = reader.GetString(6),
            Tier = reader.TextOrNull(7),
            UseCase = reader.TextOrNull(8),
            Operation = reader.GetString(9),
            Stream = reader.GetBoolean(10),
            Model = reader.GetString(11),
            PolicyDecisionId = reader.TextOrNull(12),
            EstimatedInputTokens = reader.GetInt64(13),
            AcceptedAt = values.Time(reader, 14),
            Placement = reader.PricedPlacement(15),
            Policy = reader.TextOrNull(44),
        };
        return reader.IsDBNull(26)
            ? new OpenAdmission(row, admission, null, null)
            : new OpenAdmission(
                row, admission,
                new Checkpoint(admission.RequestId, reader.PricedPlacement(26), (Evidence)reader.GetInt32(37), reader.Tokens(39)),
                values.Time(reader, 38));
    }
}
