using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Row = System.Collections.Generic.Dictionary<string, object>;

namespace TokenFactory.Storage.Model;

/// <summary>
/// What the journal writes, described for the migrations alone. Admissions and settlements are append-only; a checkpoint
/// lives until its request is settled. No foreign keys: the journal's own order is the guarantee, and a check would cost every request.
/// </summary>
internal static class JournalTables
{
    public static void Map(ModelBuilder model)
    {
        model.SharedTypeEntity<Row>("admissions", Admissions);
        model.SharedTypeEntity<Row>("settlements", Settlements);
        model.SharedTypeEntity<Row>("checkpoints", Checkpoints);
        model.SharedTypeEntity<Row>("instances", Instances);
        model.SharedTypeEntity<Row>("adjustments", Adjustments);
        model.SharedTypeEntity<Row>("usage_days", UsageDays);
        model.SharedTypeEntity<Row>("cancellations", Cancellations);
    }

    private static void Admissions(EntityTypeBuilder<Row> table)
    {
        Id(table, "request_id");
        table.HasKey("request_id");
        Required<Guid>(table, "instance_id");
        Request(table);
        Placement(table);
        Prices(table);
        Site(table);
        Required<long>(table, "estimated_input_tokens");
        Required<DateTimeOffset>(table, "accepted_at");

        // What the policy decided, as JSON: the evidence of an orphan is written by who was not there.
        Optional<string>(table, "policy");

        // Finds what a dead instance left open, without reading what the living wrote.
        table.HasIndex("instance_id");
    }

    private static void Settlements(EntityTypeBuilder<Row> table)
    {
        Id(table, "request_id");
        table.HasKey("request_id");
        Request(table);
        Placement(table);
        Required<int>(table, "outcome", "evidence", "attempts");
        Optional<string>(table, "error");
        Tokens(table);
        Required<long>(table, "cost_nano_usd");
        Required<DateTimeOffset>(table, "accepted_at", "settled_at");
        Required<DateOnly>(table, "day");
        Optional<long?>(table, "time_to_first_token_us");
        Required<long>(table, "duration_us");

        // Pages, newest first: of a project, of a tenant, of all.
        table.HasIndex("tenant", "project", "accepted_at", "request_id").HasDatabaseName("ix_settlements_project_page");
        table.HasIndex("tenant", "accepted_at", "request_id").HasDatabaseName("ix_settlements_page");
        table.HasIndex("accepted_at", "request_id").HasDatabaseName("ix_settlements_operator_page");

        // The budgets' counters after a restart.
        table.HasIndex("settled_at").HasDatabaseName("ix_settlements_settled_at");
    }

    /// <summary>What became known of a request after it was settled, as differences to its settlement; one at most, and few.</summary>
    private static void Adjustments(EntityTypeBuilder<Row> table)
    {
        Id(table, "request_id");
        table.HasKey("request_id");
        Required<string>(table, "tenant", "project", "key_id", "model");
        Optional<string>(table, "department", "user_id");

        // The settlement's own, so that one filter finds both; what is known now is beside it.
        Required<int>(table, "outcome", "known_outcome", "known_evidence");
        Tokens(table);
        Required<long>(table, "cost_nano_usd");
        Required<DateTimeOffset>(table, "accepted_at", "adjusted_at");
        Required<DateOnly>(table, "day");
        table.HasIndex("accepted_at");
    }

    /// <summary>What settlements add up to, adjustments included, so that a summary does not read them. It can always be made again from them.</summary>
    private static void UsageDays(EntityTypeBuilder<Row> table)
    {
        Id(table, "group_id");
        UsageSums(table);
        table.HasKey("tenant", "day", "group_id");
    }

    public static void UsageSums(EntityTypeBuilder<Row> table)
    {
        Required<string>(table, "tenant");
        Required<DateOnly>(table, "day");
        Required<string>(table, "project", "key_id", "model");
        Optional<string>(table, "department", "user_id");
        Required<int>(table, "outcome");
        Required<long>(table, "requests", "cost_nano_usd");
        Tokens(table);
    }

    private static void Checkpoints(EntityTypeBuilder<Row> table)
    {
        Id(table, "request_id");
        table.HasKey("request_id");
        Placement(table);
        Prices(table);
        Site(table);
        Required<int>(table, "evidence");
        Tokens(table);
        Required<DateTimeOffset>(table, "noted_at");
    }

    /// <summary>Who asked that a running request be stopped, for the instance that runs it; gone once it is settled, so as few as are being stopped.</summary>
    private static void Cancellations(EntityTypeBuilder<Row> table)
    {
        Id(table, "request_id");
        table.HasKey("request_id");
        Required<Guid>(table, "instance_id");
        Required<string>(table, "tenant");

        // Null when an operator asked.
        Optional<string>(table, "key_id");
        Required<DateTimeOffset>(table, "requested_at");
    }

    private static void Instances(EntityTypeBuilder<Row> table)
    {
        Id(table, "instance_id");
        table.HasKey("instance_id");
        Required<DateTimeOffset>(table, "started_at", "heartbeat_at");

        // Set once nothing of the instance is open any more: its admissions need never be looked through again.
        Optional<DateTimeOffset?>(table, "closed_at");
    }

    private static void Request(EntityTypeBuilder<Row> table)
    {
        Required<string>(table, "tenant", "project", "key_id", "operation", "model");
        Optional<string>(table, "department", "user_id", "tier", "use_case", "policy_decision_id");
        Required<bool>(table, "stream");
    }

    private static void Placement(EntityTypeBuilder<Row> table)
    {
        Required<string>(table, "deployment", "provider", "upstream_model", "price_id");
        Optional<string>(table, "region", "upstream_version");
    }

    private static void Prices(EntityTypeBuilder<Row> table) =>
        Required<long>(table, "input_nano_usd", "cache_read_nano_usd", "cache_write_nano_usd", "output_nano_usd");

    /// <summary>JSON: where exactly the deployment runs. A settlement's own is in its event and its audit record.</summary>
    private static void Site(EntityTypeBuilder<Row> table) => Optional<string>(table, "site");

    private static void Tokens(EntityTypeBuilder<Row> table) =>
        Required<long>(table, "input_uncached", "cache_read", "cache_write", "output", "reasoning");

    private static void Id(EntityTypeBuilder<Row> table, string column) => table.IndexerProperty<Guid>(column).ValueGeneratedNever();

    private static void Required<T>(EntityTypeBuilder<Row> table, params ReadOnlySpan<string> columns)
    {
        foreach (var column in columns)
        {
            table.IndexerProperty<T>(column).IsRequired().ValueGeneratedNever();
        }
    }

    private static void Optional<T>(EntityTypeBuilder<Row> table, params ReadOnlySpan<string> columns)
    {
        foreach (var column in columns)
        {
            table.IndexerProperty<T>(column).IsRequired(false).ValueGeneratedNever();
        }
    }
}
