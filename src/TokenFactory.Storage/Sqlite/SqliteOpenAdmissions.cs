using Microsoft.Data.Sqlite;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Sqlite;

/// <summary>Finds what instances left open. An instance found clean is marked, so that each start looks only at what is new since.</summary>
internal sealed class SqliteOpenAdmissions(SqliteFile file, SqliteStorageOptions options, SqliteJournal journal, TimeProvider clock) : IOpenAdmissions
{
    /// <summary>Steps from one instance to the next through the index, and so reads as many rows as there are instances.</summary>
    private const string InstancesSql =
        """
        WITH RECURSIVE ids(id) AS (
          SELECT min(instance_id) FROM admissions
          UNION ALL
          SELECT (SELECT min(instance_id) FROM admissions WHERE instance_id > ids.id) FROM ids WHERE ids.id IS NOT NULL)
        SELECT id FROM ids
        WHERE id IS NOT NULL AND (@own OR id <> @self)
          AND (id = @self OR NOT EXISTS (SELECT 1 FROM instances WHERE instance_id = ids.id AND closed_at IS NOT NULL))
        """;

    private const string PageSql =
        """
        SELECT a.rowid, a.request_id, a.instance_id, a.tenant, a.project, a.department, a.user_id, a.key_id, a.tier, a.use_case, a.operation, a.stream,
          a.model, a.policy_decision_id, a.estimated_input_tokens, a.accepted_at,
          a.deployment, a.provider, a.region, a.upstream_model, a.upstream_version, a.price_id, a.input_nano_usd, a.cache_read_nano_usd, a.cache_write_nano_usd, a.output_nano_usd,
          c.deployment, c.provider, c.region, c.upstream_model, c.upstream_version, c.price_id, c.input_nano_usd, c.cache_read_nano_usd, c.cache_write_nano_usd, c.output_nano_usd,
          c.evidence, c.noted_at, c.input_uncached, c.cache_read, c.cache_write, c.output, c.reasoning
        FROM admissions a LEFT JOIN checkpoints c ON c.request_id = a.request_id
        WHERE a.instance_id = @instance AND a.rowid > @after
          AND NOT EXISTS (SELECT 1 FROM settlements s WHERE s.request_id = a.request_id)
        ORDER BY a.rowid LIMIT @limit
        """;

    public Task<IReadOnlyList<Guid>> InstancesAsync(bool alsoOwn, CancellationToken cancel)
    {
        using var connection = file.Open();
        using var command = connection.CreateCommand();
        command.CommandText = InstancesSql;
        command.Parameters.AddWithValue("@own", alsoOwn);
        command.Parameters.AddWithValue("@self", options.InstanceId.ToByteArray(bigEndian: true));
        using var reader = command.ExecuteReader();
        List<Guid> instances = [];
        while (reader.Read())
        {
            instances.Add(reader.Id(0));
        }

        return Task.FromResult<IReadOnlyList<Guid>>(instances);
    }

    public Task<IReadOnlyList<OpenAdmission>> PageAsync(Guid instance, OpenAdmission? after, int limit, CancellationToken cancel)
    {
        using var connection = file.Open();
        using var command = connection.CreateCommand();
        command.CommandText = PageSql;
        command.Parameters.AddWithValue("@instance", instance.ToByteArray(bigEndian: true));
        command.Parameters.AddWithValue("@after", after?.Row ?? 0L);
        command.Parameters.AddWithValue("@limit", limit);
        using var reader = command.ExecuteReader();
        List<OpenAdmission> page = [];
        while (reader.Read())
        {
            page.Add(Read(reader));
        }

        return Task.FromResult<IReadOnlyList<OpenAdmission>>(page);
    }

    public Task CloseAsync(Guid instance)
    {
        var now = clock.GetUtcNow();
        return instance == options.InstanceId ? Task.CompletedTask : journal.WriteAsync(session =>
        {
            using var close = session.Connection.Prepare(
                "INSERT INTO instances (instance_id, started_at, heartbeat_at, closed_at) VALUES (?1,?2,?2,?2) ON CONFLICT (instance_id) DO UPDATE SET closed_at = ?2");
            close.Row().Bind(instance).Bind(now).Run();
        });
    }

    private static OpenAdmission Read(SqliteDataReader reader)
    {
        var admission = new Admission
        {
            RequestId = reader.Id(1),
            InstanceId = reader.Id(2),
            Tenant = reader.GetString(3),
            Project = reader.GetString(4),
            Department = reader.TextOrNull(5),
            User = reader.TextOrNull(6),
            KeyId = reader.GetString(7),
            Tier = reader.TextOrNull(8),
            UseCase = reader.TextOrNull(9),
            Operation = reader.GetString(10),
            Stream = reader.GetBoolean(11),
            Model = reader.GetString(12),
            PolicyDecisionId = reader.TextOrNull(13),
            EstimatedInputTokens = reader.GetInt64(14),
            AcceptedAt = reader.Time(15),
            Placement = reader.PricedPlacement(16),
        };
        return reader.IsDBNull(26)
            ? new OpenAdmission(reader.GetInt64(0), admission, null, null)
            : new OpenAdmission(
                reader.GetInt64(0), admission,
                new Checkpoint(admission.RequestId, reader.PricedPlacement(26), (Evidence)reader.GetInt32(36), reader.Tokens(38)),
                reader.Time(37));
    }
}
