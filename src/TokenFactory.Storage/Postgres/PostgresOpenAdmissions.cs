using Npgsql;
using TokenFactory.Storage.Journal;

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
        $"""
        SELECT {OpenAdmissionColumns.All}
        FROM admissions a LEFT JOIN checkpoints c ON c.request_id = a.request_id
        WHERE a.instance_id = $1 AND a.request_id > $2
          AND NOT EXISTS (SELECT 1 FROM settlements s WHERE s.request_id = a.request_id)
        ORDER BY a.request_id LIMIT $3
        """;

    private readonly SignsOfLife _signs = new(clock, options.InstanceLease);

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
            page.Add(OpenAdmissionColumns.Read(reader, PostgresValues.Instance, row: 0));
        }

        return page;
    }

    /// <summary>
    /// Unless it was heard of meanwhile: then it lives, and what it has open is its own. Or unless a write of it that was stuck has
    /// come through: with the instance's row in hand, none can any more, and what is open is seen.
    /// </summary>
    public async Task CloseAsync(Guid instance)
    {
        if (instance == options.InstanceId)
        {
            return;
        }

        await using var connection = await database.Pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var close = new NpgsqlCommand("UPDATE instances SET closed_at = now() WHERE instance_id = $1 AND heartbeat_at <= now() - $2", connection);
        close.Parameters.Add(instance, options.InstanceLease);
        await close.ExecuteNonQueryAsync();
        await using var open = new NpgsqlCommand(
            """
            SELECT EXISTS (SELECT 1 FROM admissions a WHERE a.instance_id = $1 AND NOT EXISTS (SELECT 1 FROM settlements s WHERE s.request_id = a.request_id))
            """,
            connection);
        open.Parameters.Add([instance]);
        if (!(bool)(await open.ExecuteScalarAsync())!)
        {
            await transaction.CommitAsync();
            _signs.Forget(instance);
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
            var (instance, beat) = (reader.GetGuid(0), reader.GetFieldValue<DateTimeOffset>(1));
            if (_signs.AreOver(instance, beat) || instance == options.InstanceId)
            {
                silent.Add((instance, beat));
            }
        }

        return silent;
    }
}
