using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Row = System.Collections.Generic.Dictionary<string, object>;

namespace TokenFactory.Storage.Model;

/// <summary>What processes saw of deployments, by periods, and the changes they found. Of deployments and of no tenant; kept for a few days.</summary>
internal static class ModelAuditTables
{
    public const string Periods = "model_audit_periods";
    public const string Flags = "model_audit_flags";

    public static void Map(ModelBuilder model)
    {
        model.SharedTypeEntity<Row>(Periods, MapPeriods);
        model.SharedTypeEntity<Row>(Flags, MapFlags);
    }

    private static void MapPeriods(EntityTypeBuilder<Row> table)
    {
        table.IndexerProperty<string>("deployment").IsRequired();
        table.IndexerProperty<DateTimeOffset>("started_at");
        table.IndexerProperty<Guid>("instance_id");
        table.HasKey("deployment", "started_at", "instance_id");
        table.IndexerProperty<long>("requests");
        table.IndexerProperty<long>("errors");
        table.IndexerProperty<long>("refusals");

        // Histograms, as LogHistogram writes them.
        table.IndexerProperty<byte[]>("first_token_ms").IsRequired();
        table.IndexerProperty<byte[]>("tokens_per_second").IsRequired();
        table.IndexerProperty<byte[]>("output_tokens").IsRequired();

        // Names with their counts, as JSON.
        table.IndexerProperty<string>("models").IsRequired();
        table.IndexerProperty<string>("fingerprints").IsRequired();
        table.HasIndex("started_at").HasDatabaseName("ix_model_audit_periods_started_at");
    }

    private static void MapFlags(EntityTypeBuilder<Row> table)
    {
        table.IndexerProperty<Guid>("flag_id").ValueGeneratedNever();
        table.HasKey("flag_id");
        table.IndexerProperty<Guid>("instance_id");
        table.IndexerProperty<string>("deployment").IsRequired();
        table.IndexerProperty<string>("provider").IsRequired();
        table.IndexerProperty<string>("region").IsRequired(false);
        table.IndexerProperty<string>("upstream_model").IsRequired(false);
        table.IndexerProperty<string>("upstream_version").IsRequired(false);
        table.IndexerProperty<int>("kind");
        table.IndexerProperty<DateTimeOffset>("since");
        table.IndexerProperty<DateTimeOffset>("detected_at");
        table.IndexerProperty<DateTimeOffset?>("ended_at").IsRequired(false);
        table.IndexerProperty<string>("was").IsRequired();
        table.IndexerProperty<string>("became").IsRequired();
        table.HasIndex("detected_at").HasDatabaseName("ix_model_audit_flags_detected_at");
    }
}
