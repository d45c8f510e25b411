using TokenFactory.Storage.Journal;

namespace TokenFactory.Storage.Sqlite.Writer;

/// <summary>The last thing known of each running stream; gone once it is settled, so the table stays as small as what runs.</summary>
internal sealed class CheckpointRows(RawConnection connection, TimeProvider clock) : IDisposable
{
    private readonly RawStatement _upsert = connection.Prepare(
        """
        INSERT OR REPLACE INTO checkpoints (request_id, deployment, provider, region, upstream_model, upstream_version, price_id,
          input_nano_usd, cache_read_nano_usd, cache_write_nano_usd, output_nano_usd, site, evidence, input_uncached, cache_read, cache_write,
          output, reasoning, noted_at)
        SELECT ?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19 WHERE NOT EXISTS (SELECT 1 FROM settlements WHERE request_id = ?1)
        """,
        kept: true);

    private readonly RawStatement _delete = connection.Prepare("DELETE FROM checkpoints WHERE request_id = ?", kept: true);

    public void Upsert(Checkpoint row) => _upsert.Row().Bind(row.RequestId).BindPriced(row.Placement).Bind((long)row.Evidence).Bind(row.Tokens).Bind(clock.GetUtcNow()).Run();

    public void Forget(Guid requestId) => _delete.Row().Bind(requestId).Run();

    public void Dispose()
    {
        _upsert.Dispose();
        _delete.Dispose();
    }
}
