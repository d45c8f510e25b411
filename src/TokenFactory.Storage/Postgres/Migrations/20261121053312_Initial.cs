using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TokenFactory.Storage.Postgres.Migrations
{
    /// <inheritdoc />
    internal sealed partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateSequence(
                name: "outbox_seq");

            migrationBuilder.Sql(
                """
                CREATE TABLE admissions (
                    request_id uuid NOT NULL,
                    accepted_at timestamp with time zone NOT NULL,
                    cache_read_nano_usd bigint NOT NULL,
                    cache_write_nano_usd bigint NOT NULL,
                    department text,
                    deployment text NOT NULL,
                    estimated_input_tokens bigint NOT NULL,
                    input_nano_usd bigint NOT NULL,
                    instance_id uuid NOT NULL,
                    key_id text NOT NULL,
                    model text NOT NULL,
                    operation text NOT NULL,
                    output_nano_usd bigint NOT NULL,
                    policy_decision_id text,
                    price_id text NOT NULL,
                    project text NOT NULL,
                    provider text NOT NULL,
                    region text,
                    stream boolean NOT NULL,
                    tenant text NOT NULL,
                    tier text,
                    upstream_model text NOT NULL,
                    upstream_version text,
                    use_case text,
                    user_id text,
                    CONSTRAINT "PK_admissions" PRIMARY KEY (request_id)
                ) PARTITION BY RANGE (request_id);
                CREATE TABLE admissions_default PARTITION OF admissions DEFAULT;
                """);

            migrationBuilder.Sql(
                """
                CREATE TABLE attempts (
                    request_id uuid NOT NULL,
                    ordinal integer NOT NULL,
                    deployment text NOT NULL,
                    duration_us bigint NOT NULL,
                    error text,
                    provider text NOT NULL,
                    region text,
                    started_at timestamp with time zone NOT NULL,
                    status integer,
                    tenant text NOT NULL,
                    CONSTRAINT "PK_attempts" PRIMARY KEY (request_id, ordinal)
                ) PARTITION BY RANGE (request_id);
                CREATE TABLE attempts_default PARTITION OF attempts DEFAULT;
                """);

            migrationBuilder.CreateTable(
                name: "checkpoints",
                columns: table => new
                {
                    request_id = table.Column<Guid>(type: "uuid", nullable: false),
                    cache_read = table.Column<long>(type: "bigint", nullable: false),
                    cache_read_nano_usd = table.Column<long>(type: "bigint", nullable: false),
                    cache_write = table.Column<long>(type: "bigint", nullable: false),
                    cache_write_nano_usd = table.Column<long>(type: "bigint", nullable: false),
                    deployment = table.Column<string>(type: "text", nullable: false),
                    evidence = table.Column<int>(type: "integer", nullable: false),
                    input_nano_usd = table.Column<long>(type: "bigint", nullable: false),
                    input_uncached = table.Column<long>(type: "bigint", nullable: false),
                    noted_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    output = table.Column<long>(type: "bigint", nullable: false),
                    output_nano_usd = table.Column<long>(type: "bigint", nullable: false),
                    price_id = table.Column<string>(type: "text", nullable: false),
                    provider = table.Column<string>(type: "text", nullable: false),
                    reasoning = table.Column<long>(type: "bigint", nullable: false),
                    region = table.Column<string>(type: "text", nullable: true),
                    upstream_model = table.Column<string>(type: "text", nullable: false),
                    upstream_version = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_checkpoints", x => x.request_id);
                });

            migrationBuilder.CreateTable(
                name: "dead_letters",
                columns: table => new
                {
                    sink = table.Column<string>(type: "text", nullable: false),
                    event_id = table.Column<Guid>(type: "uuid", nullable: false),
                    attempts = table.Column<int>(type: "integer", nullable: false),
                    body = table.Column<byte[]>(type: "bytea", nullable: false),
                    error = table.Column<string>(type: "text", nullable: false),
                    parked_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    replay_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    seq = table.Column<long>(type: "bigint", nullable: false),
                    type = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_dead_letters", x => new { x.sink, x.event_id });
                });

            migrationBuilder.CreateTable(
                name: "instances",
                columns: table => new
                {
                    instance_id = table.Column<Guid>(type: "uuid", nullable: false),
                    claimed_by = table.Column<Guid>(type: "uuid", nullable: true),
                    claimed_until = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    closed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    heartbeat_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_instances", x => x.instance_id);
                });

            migrationBuilder.Sql(
                """
                CREATE TABLE outbox (
                    event_id uuid NOT NULL,
                    body bytea NOT NULL,
                    created_at timestamp with time zone NOT NULL DEFAULT now(),
                    seq bigint NOT NULL DEFAULT nextval('outbox_seq'),
                    type text NOT NULL,
                    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
                    CONSTRAINT "PK_outbox" PRIMARY KEY (event_id)
                ) PARTITION BY RANGE (event_id);
                CREATE TABLE outbox_default PARTITION OF outbox DEFAULT;
                """);

            migrationBuilder.CreateTable(
                name: "read_model_version",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_read_model_version", x => x.id);
                });

            migrationBuilder.Sql(
                """
                CREATE TABLE settlements (
                    request_id uuid NOT NULL,
                    accepted_at timestamp with time zone NOT NULL,
                    attempts integer NOT NULL,
                    cache_read bigint NOT NULL,
                    cache_write bigint NOT NULL,
                    cost_nano_usd bigint NOT NULL,
                    day date NOT NULL,
                    department text,
                    deployment text NOT NULL,
                    duration_us bigint NOT NULL,
                    error text,
                    evidence integer NOT NULL,
                    input_uncached bigint NOT NULL,
                    key_id text NOT NULL,
                    model text NOT NULL,
                    operation text NOT NULL,
                    outcome integer NOT NULL,
                    output bigint NOT NULL,
                    policy_decision_id text,
                    price_id text NOT NULL,
                    project text NOT NULL,
                    provider text NOT NULL,
                    reasoning bigint NOT NULL,
                    region text,
                    settled_at timestamp with time zone NOT NULL,
                    stream boolean NOT NULL,
                    tenant text NOT NULL,
                    tier text,
                    time_to_first_token_us bigint,
                    upstream_model text NOT NULL,
                    upstream_version text,
                    use_case text,
                    user_id text,
                    CONSTRAINT "PK_settlements" PRIMARY KEY (request_id)
                ) PARTITION BY RANGE (request_id);
                CREATE TABLE settlements_default PARTITION OF settlements DEFAULT;
                """);

            migrationBuilder.CreateTable(
                name: "sink_cursors",
                columns: table => new
                {
                    sink = table.Column<string>(type: "text", nullable: false),
                    leased_by = table.Column<Guid>(type: "uuid", nullable: true),
                    leased_until = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    moved_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    seq = table.Column<long>(type: "bigint", nullable: false),
                    xid = table.Column<ulong>(type: "xid8", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_sink_cursors", x => x.sink);
                });

            migrationBuilder.CreateTable(
                name: "tenants",
                columns: table => new
                {
                    name = table.Column<string>(type: "text", nullable: false),
                    tier = table.Column<string>(type: "text", nullable: true),
                    region = table.Column<string>(type: "text", nullable: true),
                    from_file = table.Column<bool>(type: "boolean", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_tenants", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "projects",
                columns: table => new
                {
                    tenant = table.Column<string>(type: "text", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    department = table.Column<string>(type: "text", nullable: true),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_projects", x => new { x.tenant, x.name });
                    table.ForeignKey(
                        name: "FK_projects_tenants_tenant",
                        column: x => x.tenant,
                        principalTable: "tenants",
                        principalColumn: "name",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "api_keys",
                columns: table => new
                {
                    id = table.Column<string>(type: "text", nullable: false),
                    tenant = table.Column<string>(type: "text", nullable: false),
                    project = table.Column<string>(type: "text", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    user_id = table.Column<string>(type: "text", nullable: true),
                    scopes = table.Column<string>(type: "text", nullable: false),
                    models = table.Column<string>(type: "text", nullable: true),
                    requests_per_minute = table.Column<int>(type: "integer", nullable: true),
                    tokens_per_minute = table.Column<int>(type: "integer", nullable: true),
                    concurrent = table.Column<int>(type: "integer", nullable: true),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    expires_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    revoked_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_api_keys", x => x.id);
                    table.ForeignKey(
                        name: "FK_api_keys_projects_tenant_project",
                        columns: x => new { x.tenant, x.project },
                        principalTable: "projects",
                        principalColumns: new[] { "tenant", "name" },
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "api_key_secrets",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    key_id = table.Column<string>(type: "text", nullable: false),
                    pepper_version = table.Column<string>(type: "text", nullable: false),
                    digest = table.Column<byte[]>(type: "bytea", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    expires_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_api_key_secrets", x => x.id);
                    table.ForeignKey(
                        name: "FK_api_key_secrets_api_keys_key_id",
                        column: x => x.key_id,
                        principalTable: "api_keys",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            // Against a mistake, not against an owner: nothing of the ledger is changed or removed by a statement on its tables.
            migrationBuilder.Sql(
                """
                CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege'; END $$;
                CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON admissions FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
                CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON settlements FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
                CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON attempts FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
                """);

            migrationBuilder.InsertData(
                table: "read_model_version",
                columns: new[] { "id", "version" },
                values: new object[] { 1, 1L });

            migrationBuilder.CreateIndex(
                name: "IX_admissions_instance_id_request_id",
                table: "admissions",
                columns: new[] { "instance_id", "request_id" });

            migrationBuilder.CreateIndex(
                name: "IX_api_key_secrets_key_id",
                table: "api_key_secrets",
                column: "key_id");

            migrationBuilder.CreateIndex(
                name: "IX_api_key_secrets_pepper_version_digest",
                table: "api_key_secrets",
                columns: new[] { "pepper_version", "digest" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_api_keys_tenant_project",
                table: "api_keys",
                columns: new[] { "tenant", "project" });

            migrationBuilder.CreateIndex(
                name: "IX_outbox_xid_seq",
                table: "outbox",
                columns: new[] { "xid", "seq" });

            migrationBuilder.CreateIndex(
                name: "ix_settlements_page",
                table: "settlements",
                columns: new[] { "tenant", "accepted_at", "request_id" });

            migrationBuilder.CreateIndex(
                name: "ix_settlements_settled_at",
                table: "settlements",
                column: "settled_at");

            migrationBuilder.CreateIndex(
                name: "ix_settlements_summary",
                table: "settlements",
                columns: new[] { "tenant", "day", "project", "model", "key_id", "accepted_at", "input_uncached", "cache_read", "cache_write", "output", "reasoning", "cost_nano_usd" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "admissions");

            migrationBuilder.DropTable(
                name: "api_key_secrets");

            migrationBuilder.DropTable(
                name: "attempts");

            migrationBuilder.DropTable(
                name: "checkpoints");

            migrationBuilder.DropTable(
                name: "dead_letters");

            migrationBuilder.DropTable(
                name: "instances");

            migrationBuilder.DropTable(
                name: "outbox");

            migrationBuilder.DropTable(
                name: "read_model_version");

            migrationBuilder.DropTable(
                name: "settlements");

            migrationBuilder.DropTable(
                name: "sink_cursors");

            migrationBuilder.DropTable(
                name: "api_keys");

            migrationBuilder.DropTable(
                name: "projects");

            migrationBuilder.DropTable(
                name: "tenants");

            migrationBuilder.Sql("DROP FUNCTION refuse_change()");

            migrationBuilder.DropSequence(
                name: "outbox_seq");
        }
    }
}
