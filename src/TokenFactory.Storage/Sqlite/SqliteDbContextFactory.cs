using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace TokenFactory.Storage.Sqlite;

/// <summary>Makes contexts over one data directory.</summary>
internal sealed class SqliteDbContextFactory : IDbContextFactory<GatewayDbContext>
{
    private readonly DbContextOptions<SqliteGatewayDbContext> _options;

    public SqliteDbContextFactory(SqliteFile file)
    {
        _options = new DbContextOptionsBuilder<SqliteGatewayDbContext>()
            .UseSqlite(file.ConnectionString)
            .AddInterceptors(new SqliteConnectionSetup(file))
            .Options;
    }

    public GatewayDbContext CreateDbContext() => new SqliteGatewayDbContext(_options);
}

/// <summary>For <c>dotnet ef</c> only; it never opens the file it names.</summary>
internal sealed class SqliteDesignTimeFactory : IDesignTimeDbContextFactory<SqliteGatewayDbContext>
{
    public SqliteGatewayDbContext CreateDbContext(string[] args)
    {
        SqliteLibrary.Load();
        return new(new DbContextOptionsBuilder<SqliteGatewayDbContext>().UseSqlite("Data Source=design.db").Options);
    }
}
