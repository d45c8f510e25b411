using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TokenFactory.Storage.Postgres.Migrations
{
    /// <inheritdoc />
    internal sealed partial class AuditTrail : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "policy",
                table: "admissions",
                type: "text",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "audit_chains",
                columns: table => new
                {
                    chain = table.Column<Guid>(type: "uuid", nullable: false),
                    hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    sequence = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_chains", x => x.chain);
                });

            migrationBuilder.Sql(
                """
                CREATE TABLE audit_records (
                    record_id uuid NOT NULL,
                    body bytea NOT NULL,
                    chain uuid NOT NULL,
                    hash bytea NOT NULL,
                    kind text NOT NULL,
                    previous bytea NOT NULL,
                    project text NOT NULL,
                    recorded_at timestamp with time zone NOT NULL,
                    sequence bigint NOT NULL,
                    tenant text NOT NULL,
                    CONSTRAINT "PK_audit_records" PRIMARY KEY (record_id)
                ) PARTITION BY RANGE (record_id);
                CREATE TABLE audit_records_default PARTITION OF audit_records DEFAULT;
                CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_records FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
                CREATE POLICY tenant_wall ON audit_records USING (coalesce(current_setting('tokenfactory.tenant', true), '') IN ('', tenant));
                ALTER TABLE audit_records ENABLE ROW LEVEL SECURITY;
                ALTER TABLE audit_records FORCE ROW LEVEL SECURITY;
                """);

            // Over the end of a chain and its next links, in order, each result is the hash of one record: strict, so that the end is the first state.
            migrationBuilder.Sql(
                """
                CREATE FUNCTION audit_link(bytea, bytea) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT sha256($1 || $2)';
                CREATE AGGREGATE audit_chain(bytea) (SFUNC = audit_link, STYPE = bytea);
                """);

            migrationBuilder.CreateIndex(
                name: "ix_audit_records_chain",
                table: "audit_records",
                columns: new[] { "chain", "sequence" });

            migrationBuilder.CreateIndex(
                name: "ix_audit_records_page",
                table: "audit_records",
                columns: new[] { "tenant", "record_id" });

            // A program that does not know the trail would settle requests without evidence.
            migrationBuilder.UpdateData("schema_needs", "id", 1, "migration", "20261121175916_AuditTrail");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.UpdateData("schema_needs", "id", 1, "migration", "20261121091031_Adjustments");

            migrationBuilder.DropTable(
                name: "audit_chains");

            migrationBuilder.DropTable(
                name: "audit_records");

            migrationBuilder.Sql("DROP AGGREGATE audit_chain(bytea); DROP FUNCTION audit_link(bytea, bytea)");

            migrationBuilder.DropColumn(
                name: "policy",
                table: "admissions");
        }
    }
}
