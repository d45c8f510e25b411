using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace TokenFactory.Storage.Postgres;

/// <summary>The model on PostgreSQL. A type of its own because each database has its own migrations.</summary>
internal sealed class PostgresGatewayDbContext(DbContextOptions<PostgresGatewayDbContext> options) : GatewayDbContext(options)
{
    private protected override Task AnnounceIamChangeAsync(CancellationToken cancel) =>
        Database.ExecuteSqlRawAsync($"NOTIFY {IamListener.Channel}", cancel);

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        PostgresTables.Map(modelBuilder);
    }
}

/// <summary>Makes contexts over the pool.</summary>
internal sealed class PostgresDbContextFactory(PostgresDatabase database) : IDbContextFactory<GatewayDbContext>
{
    private readonly DbContextOptions<PostgresGatewayDbContext> _options =
        new DbContextOptionsBuilder<PostgresGatewayDbContext>().UseNpgsql(database.Pool).Options;

    public GatewayDbContext CreateDbContext() => new PostgresGatewayDbContext(_options);
}

/// <summary>For <c>dotnet ef</c> only; it never opens the database it names.</summary>
internal sealed class PostgresDesignTimeFactory : IDesignTimeDbContextFactory<PostgresGatewayDbContext>
{
    public PostgresGatewayDbContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<PostgresGatewayDbContext>().UseNpgsql("Host=design;Database=design").Options);
}
