using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TokenFactory.Storage.Sqlite.Migrations
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
                    request_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    accepted_at = table.Column<long>(type: "INTEGER", nullable: false),
                    adjusted_at = table.Column<long>(type: "INTEGER", nullable: false),
                    cache_read = table.Column<long>(type: "INTEGER", nullable: false),
                    cache_write = table.Column<long>(type: "INTEGER", nullable: false),
                    cost_nano_usd = table.Column<long>(type: "INTEGER", nullable: false),
                    day = table.Column<int>(type: "INTEGER", nullable: false),
                    department = table.Column<string>(type: "TEXT", nullable: true),
                    input_uncached = table.Column<long>(type: "INTEGER", nullable: false),
                    key_id = table.Column<string>(type: "TEXT", nullable: false),
                    known_evidence = table.Column<int>(type: "INTEGER", nullable: false),
                    known_outcome = table.Column<int>(type: "INTEGER", nullable: false),
                    model = table.Column<string>(type: "TEXT", nullable: false),
                    outcome = table.Column<int>(type: "INTEGER", nullable: false),
                    output = table.Column<long>(type: "INTEGER", nullable: false),
                    project = table.Column<string>(type: "TEXT", nullable: false),
                    reasoning = table.Column<long>(type: "INTEGER", nullable: false),
                    tenant = table.Column<string>(type: "TEXT", nullable: false),
                    user_id = table.Column<string>(type: "TEXT", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_adjustments", x => x.request_id);
                });

            migrationBuilder.CreateTable(
                name: "schema_needs",
                columns: table => new
                {
                    id = table.Column<int>(type: "INTEGER", nullable: false),
                    migration = table.Column<string>(type: "TEXT", nullable: false)
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
            migrationBuilder.InsertData("schema_needs", ["id", "migration"], [1, "20261121091037_Adjustments"]);
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
