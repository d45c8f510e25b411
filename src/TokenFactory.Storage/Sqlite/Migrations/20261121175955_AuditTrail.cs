using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TokenFactory.Storage.Sqlite.Migrations
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
                type: "TEXT",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "audit_chains",
                columns: table => new
                {
                    chain = table.Column<byte[]>(type: "BLOB", nullable: false),
                    hash = table.Column<byte[]>(type: "BLOB", nullable: false),
                    sequence = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_chains", x => x.chain);
                });

            migrationBuilder.CreateTable(
                name: "audit_records",
                columns: table => new
                {
                    record_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    body = table.Column<byte[]>(type: "BLOB", nullable: false),
                    chain = table.Column<byte[]>(type: "BLOB", nullable: false),
                    hash = table.Column<byte[]>(type: "BLOB", nullable: false),
                    kind = table.Column<string>(type: "TEXT", nullable: false),
                    previous = table.Column<byte[]>(type: "BLOB", nullable: false),
                    project = table.Column<string>(type: "TEXT", nullable: false),
                    recorded_at = table.Column<long>(type: "INTEGER", nullable: false),
                    sequence = table.Column<long>(type: "INTEGER", nullable: false),
                    tenant = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit_records", x => x.record_id);
                });

            migrationBuilder.CreateIndex(
                name: "ix_audit_records_chain",
                table: "audit_records",
                columns: new[] { "chain", "sequence" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_audit_records_page",
                table: "audit_records",
                columns: new[] { "tenant", "record_id" });

            // A program that does not know the trail would settle requests without evidence.
            migrationBuilder.UpdateData("schema_needs", "id", 1, "migration", "20261121175955_AuditTrail");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.UpdateData("schema_needs", "id", 1, "migration", "20261121091037_Adjustments");

            migrationBuilder.DropTable(
                name: "audit_chains");

            migrationBuilder.DropTable(
                name: "audit_records");

            migrationBuilder.DropColumn(
                name: "policy",
                table: "admissions");
        }
    }
}
