using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using TokenFactory.Storage.Model;
using Row = System.Collections.Generic.Dictionary<string, object>;

namespace TokenFactory.Storage.Postgres;

/// <summary>
/// What the one model has only here, where many processes write at once: leases on the database's clock, and an order of events that
/// a late commit cannot slip under. That four tables are partitioned the model cannot say; the migration does.
/// </summary>
internal static class PostgresTables
{
    /// <summary>Where the outbox's places come from; they are not in the order of commits, the transaction's id before them is.</summary>
    public const string OutboxSequence = "outbox_seq";

    public static void Map(ModelBuilder model)
    {
        model.HasSequence<long>(OutboxSequence);
        model.SharedTypeEntity<Row>("admissions", table =>
        {
            // Finds what a dead instance left open, page by page.
            table.Metadata.RemoveIndex(table.Metadata.GetIndexes().Single());
            table.HasIndex("instance_id", "request_id");
        });

        // A unique index would have to have the partition's key in it: here the lock on the chain's end is the guarantee.
        model.SharedTypeEntity<Row>(AuditTables.Records, table => table.HasIndex("chain", "sequence").IsUnique(false));

        model.SharedTypeEntity<Row>("instances", table =>
        {
            table.IndexerProperty<Guid?>("claimed_by");
            table.IndexerProperty<DateTimeOffset?>("claimed_until");
        });

        // What was settled and is not yet in the day's totals: replicas that all added to one row would wait for each other.
        model.SharedTypeEntity<Row>("usage_deltas", table =>
        {
            JournalTables.UsageSums(table);
            table.HasNoKey();
        });
        model.SharedTypeEntity<Row>("outbox", Outbox);
        model.SharedTypeEntity<Row>("sink_cursors", table =>
        {
            Transaction(table);
            table.IndexerProperty<Guid?>("leased_by");
            table.IndexerProperty<DateTimeOffset?>("leased_until");
        });
    }

    private static void Outbox(EntityTypeBuilder<Row> table)
    {
        var bySeq = table.Metadata.FindPrimaryKey()!;
        table.HasKey("event_id");
        table.Metadata.RemoveKey(bySeq);
        table.IndexerProperty<Guid>("event_id").ValueGeneratedNever();
        table.IndexerProperty<long>("seq").HasDefaultValueSql($"nextval('{OutboxSequence}')");
        Transaction(table).HasDefaultValueSql("pg_current_xact_id()");
        table.IndexerProperty<DateTimeOffset>("created_at").HasDefaultValueSql("now()");
        table.HasIndex("xid", "seq");
    }

    private static PropertyBuilder<ulong> Transaction(EntityTypeBuilder<Row> table) =>
        table.IndexerProperty<ulong>("xid").HasColumnType("xid8");
}
