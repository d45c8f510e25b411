using TokenFactory.Administration.Configuration;
using TokenFactory.Administration.Configuration.Settings;
using TokenFactory.Storage;
using TokenFactory.Storage.Postgres;
using TokenFactory.Storage.Sqlite;

namespace TokenFactory.Gateway.Hosting;

/// <summary>The configured store, for the server and for commands beside it.</summary>
internal static class Stores
{
    public static IServiceCollection AddStore(this IServiceCollection services, GatewayConfiguration configuration, string dataDirectory, Guid instance) =>
        services.AddStore(configuration.Store, configuration.Ledger, dataDirectory, instance);

    public static IServiceCollection AddStore(this IServiceCollection services, StoreSettings store, LedgerSettings ledger, string dataDirectory, Guid instance) => store.Kind switch
    {
        StoreKind.Postgres => services.AddPostgresStorage(new PostgresStorageOptions
        {
            Connection = store.Connection!.Reveal(),
            InstanceId = instance,
            InstanceLease = store.InstanceLease,
            SinkLease = store.InstanceLease,
            LifecycleEvents = ledger.LifecycleEvents,
        }),
        _ => services.AddSqliteStorage(new SqliteStorageOptions { DataDirectory = dataDirectory, InstanceId = instance, LifecycleEvents = ledger.LifecycleEvents }),
    };
}
