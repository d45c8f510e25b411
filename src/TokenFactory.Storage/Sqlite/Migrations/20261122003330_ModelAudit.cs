using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TokenFactory.Storage.Sqlite.Migrations
{
    /// <inheritdoc />
    internal sealed partial class ModelAudit : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "model_audit_flags",
                columns: table => new
                {
                    flag_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    became = table.Column<string>(type: "TEXT", nullable: false),
                    deployment = table.Column<string>(type: "TEXT", nullable: false),
                    detected_at = table.Column<long>(type: "INTEGER", nullable: false),
                    ended_at = table.Column<long>(type: "INTEGER", nullable: true),
                    instance_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    kind = table.Column<int>(type: "INTEGER", nullable: false),
                    provider = table.Column<string>(type: "TEXT", nullable: false),
                    region = table.Column<string>(type: "TEXT", nullable: true),
                    since = table.Column<long>(type: "INTEGER", nullable: false),
                    upstream_model = table.Column<string>(type: "TEXT", nullable: true),
                    upstream_version = table.Column<string>(type: "TEXT", nullable: true),
                    was = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_model_audit_flags", x => x.flag_id);
                });

            migrationBuilder.CreateTable(
                name: "model_audit_periods",
                columns: table => new
                {
                    deployment = table.Column<string>(type: "TEXT", nullable: false),
                    started_at = table.Column<long>(type: "INTEGER", nullable: false),
                    instance_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    errors = table.Column<long>(type: "INTEGER", nullable: false),
                    fingerprints = table.Column<string>(type: "TEXT", nullable: false),
                    first_token_ms = table.Column<byte[]>(type: "BLOB", nullable: false),
                    models = table.Column<string>(type: "TEXT", nullable: false),
                    output_tokens = table.Column<byte[]>(type: "BLOB", nullable: false),
                    refusals = table.Column<long>(type: "INTEGER", nullable: false),
                    requests = table.Column<long>(type: "INTEGER", nullable: false),
                    tokens_per_second = table.Column<byte[]>(type: "BLOB", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_model_audit_periods", x => new { x.deployment, x.started_at, x.instance_id });
                });

            migrationBuilder.CreateIndex(
                name: "ix_model_audit_flags_detected_at",
                table: "model_audit_flags",
                column: "detected_at");

            migrationBuilder.CreateIndex(
                name: "ix_model_audit_periods_started_at",
                table: "model_audit_periods",
                column: "started_at");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "model_audit_flags");

            migrationBuilder.DropTable(
                name: "model_audit_periods");
        }
    }
}
