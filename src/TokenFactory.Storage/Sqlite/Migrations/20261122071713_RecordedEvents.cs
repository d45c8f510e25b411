using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TokenFactory.Storage.Sqlite.Migrations
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

            // By hand, because a table that is made anew counts from one again: the places that were given must never be given twice, also where no
            // event is left. Without the index by id, which only refused what the rest of the transaction refuses.
            migrationBuilder.Sql(
                """
                CREATE TABLE outbox_new (
                    "seq" INTEGER NOT NULL CONSTRAINT "PK_outbox" PRIMARY KEY AUTOINCREMENT,
                    "body" BLOB NULL,
                    "created_at" INTEGER NOT NULL,
                    "event_id" BLOB NOT NULL,
                    "type" TEXT NOT NULL
                );
                INSERT INTO sqlite_sequence (name, seq) SELECT 'outbox_new', seq FROM sqlite_sequence WHERE name = 'outbox';
                INSERT INTO outbox_new (seq, body, created_at, event_id, type) SELECT seq, body, created_at, event_id, type FROM outbox ORDER BY seq;
                DROP TABLE outbox;
                ALTER TABLE outbox_new RENAME TO outbox;
                """);

            // A program that does not know it would relay events without a body, and settle into a table that is not there.
            migrationBuilder.UpdateData("schema_needs", "id", 1, "migration", "20261122071713_RecordedEvents");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) =>
            throw new NotSupportedException("Events that are told by their audit records have no body that an older program could relay. Go back with the backup of before.");
    }
}
