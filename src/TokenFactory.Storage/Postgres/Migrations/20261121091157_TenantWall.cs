using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TokenFactory.Storage.Postgres.Migrations
{
    /// <inheritdoc />
    internal sealed partial class TenantWall : Migration
    {
        private static readonly (string Table, string Tenant)[] _owned =
        [
            ("tenants", "name"), ("projects", "tenant"), ("api_keys", "tenant"), ("admissions", "tenant"), ("settlements", "tenant"),
            ("attempts", "tenant"), ("adjustments", "tenant"), ("usage_days", "tenant"), ("usage_deltas", "tenant"),
        ];

        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            foreach (var (table, tenant) in _owned)
            {
                // A session that works for a tenant names it and sees nothing else, whatever it asks; one that works for all names none.
                // Forced, because the gateway may be the tables' owner.
                migrationBuilder.Sql(
                    $"""
                    CREATE POLICY tenant_wall ON {table} USING (coalesce(current_setting('tokenfactory.tenant', true), '') IN ('', {tenant}));
                    ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
                    ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
                    """);
            }
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            foreach (var (table, _) in _owned)
            {
                migrationBuilder.Sql(
                    $"""
                    ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY;
                    ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;
                    DROP POLICY tenant_wall ON {table};
                    """);
            }
        }
    }
}
