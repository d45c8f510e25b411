using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TokenFactory.Storage.Postgres.Migrations
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
                    flag_id = table.Column<Guid>(type: "uuid", nullable: false),
                    became = table.Column<string>(type: "text", nullable: false),
                    deployment = table.Column<string>(type: "text", nullable: false),
                    detected_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    ended_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    instance_id = table.Column<Guid>(type: "uuid", nullable: false),
                    kind = table.Column<int>(type: "integer", nullable: false),
                    provider = table.Column<string>(type: "text", nullable: false),
                    region = table.Column<string>(type: "text", nullable: true),
                    since = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    upstream_model = table.Column<string>(type: "text", nullable: true),
                    upstream_version = table.Column<string>(type: "text", nullable: true),
                    was = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_model_audit_flags", x => x.flag_id);
                });

            migrationBuilder.CreateTable(
                name: "model_audit_periods",
                columns: table => new
                {
                    deployment = table.Column<string>(type: "text", nullable: false),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    instance_id = table.Column<Guid>(type: "uuid", nullable: false),
                    errors = table.Column<long>(type: "bigint", nullable: false),
                    fingerprints = table.Column<string>(type: "text", nullable: false),
                    first_token_ms = table.Column<byte[]>(type: "bytea", nullable: false),
                    models = table.Column<string>(type: "text", nullable: false),
                    output_tokens = table.Column<byte[]>(type: "bytea", nullable: false),
                    refusals = table.Column<long>(type: "bigint", nullable: false),
                    requests = table.Column<long>(type: "bigint", nullable: false),
                    tokens_per_second = table.Column<byte[]>(type: "bytea", nullable: false)
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
