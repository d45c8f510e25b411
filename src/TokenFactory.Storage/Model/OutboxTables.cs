using Microsoft.EntityFrameworkCore;
using Row = System.Collections.Generic.Dictionary<string, object>;

namespace TokenFactory.Storage.Model;

/// <summary>Events waiting to be relayed. The outbox has no status column: where a sink stands is its cursor, so no row is written twice.</summary>
internal static class OutboxTables
{
    public static void Map(ModelBuilder model)
    {
        model.SharedTypeEntity<Row>("outbox", table =>
        {
            // Never reused, not even after every row was removed: a cursor must never stand ahead of a new event.
            table.IndexerProperty<long>("seq").ValueGeneratedOnAdd();
            table.HasKey("seq");
            table.IndexerProperty<Guid>("event_id");
            table.IndexerProperty<string>("type").IsRequired();

            // Null where the audit record of the same id is what there is to tell.
            table.IndexerProperty<byte[]>("body").IsRequired(false);
            table.IndexerProperty<DateTimeOffset>("created_at");
        });
        model.SharedTypeEntity<Row>("sink_cursors", table =>
        {
            table.IndexerProperty<string>("sink");
            table.HasKey("sink");
            table.IndexerProperty<long>("seq");
            table.IndexerProperty<DateTimeOffset>("moved_at");
        });
        model.SharedTypeEntity<Row>("dead_letters", table =>
        {
            table.IndexerProperty<string>("sink");
            table.IndexerProperty<Guid>("event_id");
            table.HasKey("sink", "event_id");
            table.IndexerProperty<long>("seq");
            table.IndexerProperty<string>("type").IsRequired();

            // A copy: the dead letter outlives the outbox row's retention. Empty where there was nothing to tell it by.
            table.IndexerProperty<byte[]>("body").IsRequired();
            table.IndexerProperty<int>("attempts");
            table.IndexerProperty<string>("error").IsRequired();
            table.IndexerProperty<DateTimeOffset>("parked_at");

            // Asked for by an operator, in whatever process; the sink's relay tries it again.
            table.IndexerProperty<DateTimeOffset?>("replay_at");
        });
    }
}
