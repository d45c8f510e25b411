using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using TokenFactory.Storage.Sqlite;

namespace TokenFactory.Storage;

/// <summary>The doors of this project.</summary>
public static class StorageServices
{
    /// <summary>The embedded store: one data directory, one serving process. Commands beside it may open the same directory.</summary>
    public static IServiceCollection AddSqliteStorage(this IServiceCollection services, SqliteStorageOptions options)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        services.AddSingleton<SqliteFile>();
        services.AddSingleton<IDbContextFactory<GatewayDbContext>, SqliteDbContextFactory>();
        services.AddSingleton(provider => new StorageMigrator(
            provider.GetRequiredService<IDbContextFactory<GatewayDbContext>>(), provider.GetRequiredService<SqliteFile>(), provider.GetRequiredService<TimeProvider>()));
        return services;
    }
}
