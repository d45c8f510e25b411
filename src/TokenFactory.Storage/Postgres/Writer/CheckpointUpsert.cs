using Npgsql;
using TokenFactory.Storage.Journal;

namespace TokenFactory.Storage.Postgres.Writer;

/// <summary>The last thing known of each running stream; gone once it is settled, so the table stays as small as what runs.</summary>
internal static class CheckpointUpsert
{
    private const string Sql =
        """
        INSERT INTO checkpoints (request_id, evidence, deployment, provider, region, upstream_model, upstream_version, price_id, input_nano_usd,
          cache_read_nano_usd, cache_write_nano_usd, output_nano_usd, site, input_uncached, cache_read, cache_write, output, reasoning, noted_at)
        SELECT noted.*, now() FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) AS noted(request_id)
        WHERE NOT EXISTS (SELECT 1 FROM settlements WHERE settlements.request_id = noted.request_id)
        ON CONFLICT (request_id) DO UPDATE SET evidence = excluded.evidence, deployment = excluded.deployment, provider = excluded.provider,
          region = excluded.region, upstream_model = excluded.upstream_model, upstream_version = excluded.upstream_version,
          price_id = excluded.price_id, input_nano_usd = excluded.input_nano_usd, cache_read_nano_usd = excluded.cache_read_nano_usd,
          cache_write_nano_usd = excluded.cache_write_nano_usd, output_nano_usd = excluded.output_nano_usd, site = excluded.site,
          input_uncached = excluded.input_uncached, cache_read = excluded.cache_read, cache_write = excluded.cache_write,
          output = excluded.output, reasoning = excluded.reasoning, noted_at = excluded.noted_at
        """;

    /// <param name="rows">No two of one request.</param>
    public static NpgsqlBatchCommand Of(IReadOnlyList<Checkpoint> rows)
    {
        var command = new NpgsqlBatchCommand(Sql);
        new ColumnArrays<Checkpoint>(rows, command)
            .Ids(static row => row.RequestId).Ints(static row => (int)row.Evidence).Priced(static row => row.Placement).Tokens(static row => row.Tokens);
        return command;
    }
}
