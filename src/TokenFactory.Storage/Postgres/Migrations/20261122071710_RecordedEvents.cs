using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TokenFactory.Storage.Postgres.Migrations
{
    /// <inheritdoc />
    internal sealed partial class RecordedEvents : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // What they tell is in the requests' audit records.
            migrationBuilder.DropTable(
                name: "attempts");

            migrationBuilder.AlterColumn<byte[]>(
                name: "body",
                table: "outbox",
                type: "bytea",
                nullable: true,
                oldClrType: typeof(byte[]),
                oldType: "bytea");

            // A program that does not know it would relay events without a body, and settle into a table that is not there.
            migrationBuilder.UpdateData("schema_needs", "id", 1, "migration", "20261122071710_RecordedEvents");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) =>
            throw new NotSupportedException("Events that are told by their audit records have no body that an older program could relay. Go back with the backup of before.");
    }
}
