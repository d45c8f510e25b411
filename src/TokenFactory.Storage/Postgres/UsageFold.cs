using Npgsql;

namespace TokenFactory.Storage.Postgres;

/// <summary>
/// Moves what settlements added to the days' usage into the days' totals, in statements that do both or nothing: a reader of both
/// tables sees every settlement once at any time. Any number of replicas may fold at once; each takes other rows.
/// </summary>
internal sealed class UsageFold(PostgresDatabase database)
{
    /// <summary>One row for each day, tenant, project, department, user, key, model and outcome.</summary>
    public const string Days = "usage_days";

    /// <summary>Written with the settlements, a row for all of one kind in a batch.</summary>
    public const string Deltas = "usage_deltas";

    private const int AtOnce = 10_000;

    private const string Sql =
        $"""
        WITH taken AS (
          DELETE FROM {Deltas} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {Deltas} LIMIT $1 FOR UPDATE SKIP LOCKED)) RETURNING *),
        total AS (
          SELECT tenant, day, project, department, user_id, key_id, model, outcome, sum(requests) AS requests, sum(input_uncached) AS input_uncached,
            sum(cache_read) AS cache_read, sum(cache_write) AS cache_write, sum(output) AS output, sum(reasoning) AS reasoning, sum(cost_nano_usd) AS cost_nano_usd
          FROM taken GROUP BY tenant, day, project, department, user_id, key_id, model, outcome),
        named AS (
          SELECT encode(substring(sha256(convert_to(jsonb_build_array(project, department, user_id, key_id, model, outcome)::text, 'UTF8')) FOR 16), 'hex')::uuid AS group_id, *
          FROM total),
        folded AS (
          INSERT INTO {Days} AS d (tenant, day, group_id, project, department, user_id, key_id, model, outcome,
            requests, input_uncached, cache_read, cache_write, output, reasoning, cost_nano_usd)
          SELECT tenant, day, group_id, project, department, user_id, key_id, model, outcome,
            requests, input_uncached, cache_read, cache_write, output, reasoning, cost_nano_usd
          FROM named ORDER BY tenant, day, group_id
          ON CONFLICT (tenant, day, group_id) DO UPDATE SET requests = d.requests + excluded.requests, input_uncached = d.input_uncached + excluded.input_uncached,
            cache_read = d.cache_read + excluded.cache_read, cache_write = d.cache_write + excluded.cache_write, output = d.output + excluded.output,
            reasoning = d.reasoning + excluded.reasoning, cost_nano_usd = d.cost_nano_usd + excluded.cost_nano_usd)
        SELECT count(*) FROM taken
        """;

    /// <summary>Everything at once, in the connection's transaction.</summary>
    public static async Task FoldAllAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(Sql, connection) { CommandTimeout = 0 };
        command.Parameters.Add([int.MaxValue]);
        await command.ExecuteNonQueryAsync(cancel);
    }

    public async Task FoldAsync(CancellationToken cancel)
    {
        for (var taken = (long)AtOnce; taken == AtOnce;)
        {
            await using var command = database.Pool.CreateCommand(Sql);
            command.Parameters.Add([AtOnce]);
            taken = (long)(await command.ExecuteScalarAsync(cancel))!;
        }
    }
}
