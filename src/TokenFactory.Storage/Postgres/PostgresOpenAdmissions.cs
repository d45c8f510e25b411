using Npgsql;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Postgres;

/// <summary>
/// Finds what dead instances left open. An instance is dead when its lease has run out by the database's clock, and when its
/// last sign of life has also stayed the same for a whole lease of this process' watching: after an outage of the database every
/// lease has run out, and the living are about to say so.
/// </summary>
internal sealed class PostgresOpenAdmissions(PostgresDatabase database, PostgresStorageOptions options, TimeProvider clock) : IOpenAdmissions
{
    private const string ExpiredSql =
        """
        SELECT instance_id, heartbeat_at FROM instances
        WHERE closed_at IS NULL AND (instance_id <> $1 OR $3) AND (heartbeat_at <= now() - $2 OR instance_id = $1)
        """;

    /// <summary>So that one replica works through an instance's open admissions and not all of them. It guards only work: settling twice changes nothing.</summary>
    private const string ClaimSql =
        """
        UPDATE instances SET claimed_by = $1, claimed_until = now() + greatest($2, interval '10 seconds')
        WHERE instance_id = $3 AND heartbeat_at = $4 AND closed_at IS NULL AND (claimed_by = $1 OR claimed_until IS NULL OR claimed_until < now())
        """;

    private const string PageSql =
        """
        SELECT a.request_id, a.instance_id, a.tenant, a.project, a.department, a.user_id, a.key_id, a.tier, a.use_case, a.operation, a.stream,
          a.model, a.policy_decision_id, a.estimated_input_tokens, a.accepted_at,
          a.deployment, a.provider, a.region, a.upstream_model, a.upstream_version, a.price_id, a.input_nano_usd, a.cache_read_nano_usd, a.cache_write_nano_usd, a.output_nano_usd,
          c.deployment, c.provider, c.region, c.upstream_model, c.upstream_version, c.price_id, c.input_nano_usd, c.cache_read_nano_usd, c.cache_write_nano_usd, c.output_nano_usd,
          c.evidence, c.noted_at, c.input_uncached, c.cache_read, c.cache_write, c.output, c.reasoning
        FROM admissions a LEFT JOIN checkpoints c ON c.request_id = a.request_id
        WHERE a.instance_id = $1 AND a.request_id > $2
          AND NOT EXISTS (SELECT 1 FROM settlements s WHERE s.request_id = a.request_id)
        ORDER BY a.request_id LIMIT $3
        """;

    private readonly Dictionary<Guid, (DateTimeOffset Beat, long Since)> _watched = [];

    public async Task<IReadOnlyList<Guid>> InstancesAsync(bool alsoOwn, CancellationToken cancel)
    {
        var silent = await SilentAsync(alsoOwn, cancel);
        List<Guid> dead = [];
        foreach (var (instance, beat) in silent)
        {
            await using var claim = database.Pool.CreateCommand(ClaimSql);
            claim.Parameters.Add(options.InstanceId, options.InstanceLease, instance, beat.UtcDateTime);
            if (await claim.ExecuteNonQueryAsync(cancel) == 1)
            {
                dead.Add(instance);
            }
        }

        return dead;
    }

    public async Task<IReadOnlyList<OpenAdmission>> PageAsync(Guid instance, OpenAdmission? after, int limit, CancellationToken cancel)
    {
        await using var command = database.Pool.CreateCommand(PageSql);
        command.Parameters.Add(instance, after?.Admission.RequestId ?? Guid.Empty, limit);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        List<OpenAdmission> page = [];
        while (await reader.ReadAsync(cancel))
        {
            page.Add(Read(reader));
        }

        return page;
    }

    /// <summary>Unless it was heard of meanwhile: then it lives, and what it has open is its own.</summary>
    public async Task CloseAsync(Guid instance)
    {
        if (instance != options.InstanceId)
        {
            await using var command = database.Pool.CreateCommand("UPDATE instances SET closed_at = now() WHERE instance_id = $1 AND heartbeat_at <= now() - $2");
            command.Parameters.Add(instance, options.InstanceLease);
            await command.ExecuteNonQueryAsync();
            _watched.Remove(instance);
        }
    }

    private async Task<List<(Guid Instance, DateTimeOffset Beat)>> SilentAsync(bool alsoOwn, CancellationToken cancel)
    {
        await using var command = database.Pool.CreateCommand(ExpiredSql);
        command.Parameters.Add(options.InstanceId, options.InstanceLease, alsoOwn);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        List<(Guid, DateTimeOffset)> silent = [];
        while (await reader.ReadAsync(cancel))
        {
            var (instance, beat) = (reader.GetGuid(0), reader.Time(1));
            if (!_watched.TryGetValue(instance, out var seen) || seen.Beat != beat)
            {
                _watched[instance] = seen = (beat, clock.GetTimestamp());
            }

            if (instance == options.InstanceId || clock.GetElapsedTime(seen.Since) >= options.InstanceLease)
            {
                silent.Add((instance, beat));
            }
        }

        return silent;
    }

    private static OpenAdmission Read(NpgsqlDataReader reader)
    {
        var admission = new Admission
        {
            RequestId = reader.GetGuid(0),
            InstanceId = reader.GetGuid(1),
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
            AcceptedAt = reader.Time(14),
            Placement = reader.PricedPlacement(15),
        };
        return reader.IsDBNull(25)
            ? new OpenAdmission(0, admission, null, null)
            : new OpenAdmission(
                0, admission, new Checkpoint(admission.RequestId, reader.PricedPlacement(25), (Evidence)reader.GetInt32(35), reader.Tokens(37)), reader.Time(36));
    }
}
