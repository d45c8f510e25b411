using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TokenFactory.Storage.Sqlite.Migrations
{
    /// <inheritdoc />
    internal sealed partial class UsageDays : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_settlements_summary",
                table: "settlements");

            migrationBuilder.CreateTable(
                name: "usage_days",
                columns: table => new
                {
                    tenant = table.Column<string>(type: "TEXT", nullable: false),
                    day = table.Column<int>(type: "INTEGER", nullable: false),
                    group_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    cache_read = table.Column<long>(type: "INTEGER", nullable: false),
                    cache_write = table.Column<long>(type: "INTEGER", nullable: false),
                    cost_nano_usd = table.Column<long>(type: "INTEGER", nullable: false),
                    department = table.Column<string>(type: "TEXT", nullable: true),
                    input_uncached = table.Column<long>(type: "INTEGER", nullable: false),
                    key_id = table.Column<string>(type: "TEXT", nullable: false),
                    model = table.Column<string>(type: "TEXT", nullable: false),
                    outcome = table.Column<int>(type: "INTEGER", nullable: false),
                    output = table.Column<long>(type: "INTEGER", nullable: false),
                    project = table.Column<string>(type: "TEXT", nullable: false),
                    reasoning = table.Column<long>(type: "INTEGER", nullable: false),
                    requests = table.Column<long>(type: "INTEGER", nullable: false),
                    user_id = table.Column<string>(type: "TEXT", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_usage_days", x => new { x.tenant, x.day, x.group_id });
                });

            migrationBuilder.CreateIndex(
                name: "ix_settlements_operator_page",
                table: "settlements",
                columns: new[] { "accepted_at", "request_id" });

            migrationBuilder.CreateIndex(
                name: "ix_settlements_project_page",
                table: "settlements",
                columns: new[] { "tenant", "project", "accepted_at", "request_id" });

            // What was settled before. What comes after adds to rows of its own: sums do not mind.
            migrationBuilder.Sql(
                """
                INSERT INTO usage_days (tenant, day, group_id, project, department, user_id, key_id, model, outcome,
                  requests, input_uncached, cache_read, cache_write, output, reasoning, cost_nano_usd)
                SELECT tenant, day, randomblob(16), project, department, user_id, key_id, model, outcome,
                  count(*), sum(input_uncached), sum(cache_read), sum(cache_write), sum(output), sum(reasoning), sum(cost_nano_usd)
                FROM settlements GROUP BY tenant, day, project, department, user_id, key_id, model, outcome
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "usage_days");

            migrationBuilder.DropIndex(
                name: "ix_settlements_operator_page",
                table: "settlements");

            migrationBuilder.DropIndex(
                name: "ix_settlements_project_page",
                table: "settlements");

            migrationBuilder.CreateIndex(
                name: "ix_settlements_summary",
                table: "settlements",
                columns: new[] { "tenant", "day", "project", "model", "key_id", "accepted_at", "input_uncached", "cache_read", "cache_write", "output", "reasoning", "cost_nano_usd" });
        }
    }
}
