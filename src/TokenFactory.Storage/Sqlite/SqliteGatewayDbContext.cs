using Microsoft.EntityFrameworkCore;

namespace TokenFactory.Storage.Sqlite;

/// <summary>The model on SQLite. A type of its own because each database has its own migrations.</summary>
internal sealed class SqliteGatewayDbContext(DbContextOptions<SqliteGatewayDbContext> options) : GatewayDbContext(options)
{
    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        configurationBuilder.Properties<Guid>().HaveConversion<GuidConverter>();
        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<TimeConverter>();
        configurationBuilder.Properties<DateOnly>().HaveConversion<DayConverter>();
    }
}
