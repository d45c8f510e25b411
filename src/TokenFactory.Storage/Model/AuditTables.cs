using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Row = System.Collections.Generic.Dictionary<string, object>;

namespace TokenFactory.Storage.Model;

/// <summary>The audit trail: records that are never changed, each linked to the one its writer wrote before, and where each writer's chain ends.</summary>
internal static class AuditTables
{
    public const string Records = "audit_records";
    public const string Chains = "audit_chains";

    public static void Map(ModelBuilder model)
    {
        model.SharedTypeEntity<Row>(Records, MapRecords);
        model.SharedTypeEntity<Row>(Chains, MapChains);
    }

    private static void MapRecords(EntityTypeBuilder<Row> table)
    {
        table.IndexerProperty<Guid>("record_id").ValueGeneratedNever();
        table.HasKey("record_id");
        table.IndexerProperty<Guid>("chain");
        table.IndexerProperty<long>("sequence");
        table.IndexerProperty<string>("tenant").IsRequired();
        table.IndexerProperty<string>("project").IsRequired();
        table.IndexerProperty<string>("kind").IsRequired();
        table.IndexerProperty<DateTimeOffset>("recorded_at");
        table.IndexerProperty<byte[]>("body").IsRequired();

        // Also the hash before it: a tenant's records prove themselves without those of others between them.
        table.IndexerProperty<byte[]>("previous").IsRequired();
        table.IndexerProperty<byte[]>("hash").IsRequired();

        // Walks a chain; and no place of one is taken twice.
        table.HasIndex("chain", "sequence").IsUnique().HasDatabaseName("ix_audit_records_chain");

        // Pages of a tenant, newest first: the ids are in the order of time.
        table.HasIndex("tenant", "record_id").HasDatabaseName("ix_audit_records_page");
    }

    private static void MapChains(EntityTypeBuilder<Row> table)
    {
        table.IndexerProperty<Guid>("chain").ValueGeneratedNever();
        table.HasKey("chain");
        table.IndexerProperty<long>("sequence").ValueGeneratedNever();
        table.IndexerProperty<byte[]>("hash").IsRequired();
    }
}
