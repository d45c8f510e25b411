using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TokenFactory.Storage.Postgres.Migrations
{
    /// <inheritdoc />
    internal sealed partial class Adjustments : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "adjustments",
                columns: table => new
                {
                    request_id = table.Column<Guid>(type: "uuid", nullable: false),
                    accepted_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    adjusted_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    cache_read = table.Column<long>(type: "bigint", nullable: false),
                    cache_write = table.Column<long>(type: "bigint", nullable: false),
                    cost_nano_usd = table.Column<long>(type: "bigint", nullable: false),
                    day = table.Column<DateOnly>(type: "date", nullable: false),
                    department = table.Column<string>(type: "text", nullable: true),
                    input_uncached = table.Column<long>(type: "bigint", nullable: false),
                    key_id = table.Column<string>(type: "text", nullable: false),
                    known_evidence = table.Column<int>(type: "integer", nullable: false),
                    known_outcome = table.Column<int>(type: "integer", nullable: false),
                    model = table.Column<string>(type: "text", nullable: false),
                    outcome = table.Column<int>(type: "integer", nullable: false),
                    output = table.Column<long>(type: "bigint", nullable: false),
                    project = table.Column<string>(type: "text", nullable: false),
                    reasoning = table.Column<long>(type: "bigint", nullable: false),
                    tenant = table.Column<string>(type: "text", nullable: false),
                    user_id = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_adjustments", x => x.request_id);
                });

            migrationBuilder.CreateTable(
                name: "schema_needs",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false),
                    migration = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_schema_needs", x => x.id);
                });

            migrationBuilder.CreateIndex(
                name: "IX_adjustments_accepted_at",
                table: "adjustments",
                column: "accepted_at");

            // A program that does not know the adjustments would show usage without them.
            migrationBuilder.InsertData("schema_needs", ["id", "migration"], [1, "20261121091031_Adjustments"]);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "adjustments");

            migrationBuilder.DropTable(
                name: "schema_needs");
        }
    }
}
