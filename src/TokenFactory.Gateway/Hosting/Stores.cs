using TokenFactory.Administration.Configuration;
using TokenFactory.Storage;
using TokenFactory.Storage.Postgres;
using TokenFactory.Storage.Sqlite;

namespace TokenFactory.Gateway.Hosting;

/// <summary>The configured store, for the server and for commands beside it.</summary>
internal static class Stores
{
    public static IServiceCollection AddStore(this IServiceCollection services, GatewayConfiguration configuration, string dataDirectory, Guid instance) => configuration.Store.Kind switch
    {
        StoreKind.Postgres => services.AddPostgresStorage(new PostgresStorageOptions
        {
            Connection = configuration.Store.Connection!.Reveal(),
            InstanceId = instance,
            InstanceLease = configuration.Store.InstanceLease,
            SinkLease = configuration.Store.InstanceLease,
            LifecycleEvents = configuration.Ledger.LifecycleEvents,
        }),
        _ => services.AddSqliteStorage(new SqliteStorageOptions { DataDirectory = dataDirectory, InstanceId = instance, LifecycleEvents = configuration.Ledger.LifecycleEvents }),
    };
}
