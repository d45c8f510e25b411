using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using TokenFactory.Storage.Audit;
using TokenFactory.Storage.Iam;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.ModelAudit;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Postgres;
using TokenFactory.Storage.Registry;
using TokenFactory.Storage.Relay;
using TokenFactory.Storage.Requests;
using TokenFactory.Storage.Sqlite;
using TokenFactory.Storage.Transfer;

namespace TokenFactory.Storage;

/// <summary>The doors of this project.</summary>
public static class StorageServices
{
    /// <summary>
    /// The embedded store: one data directory, one serving process. In a host it opens itself before the other hosted services
    /// start; a command that builds no host uses the contexts, the migrator and the ledger, beside a serving process too.
    /// </summary>
    public static IServiceCollection AddSqliteStorage(this IServiceCollection services, SqliteStorageOptions options)
    {
        services.AddSingleton(options);
        services.AddSingleton<SqliteFile>();
        services.AddSingleton<SqliteJournal>();
        services.AddSingleton<IDbContextFactory<GatewayDbContext>, SqliteDbContextFactory>();
        services.AddSingleton<IJournal>(provider => provider.GetRequiredService<SqliteJournal>());
        services.AddSingleton<IOpenAdmissions, SqliteOpenAdmissions>();
        services.AddSingleton<StoreReader, SqliteReader>();
        services.AddSingleton<IUsageLedger>(provider => new UsageLedger(provider.GetRequiredService<StoreReader>(), ["usage_days"]));
        services.AddSingleton<IOutbox, SqliteOutbox>();
        services.AddSingleton<ISchemaHome, SqliteSchemaHome>();
        services.AddSingleton<ITransferStore, SqliteTransfer>();
        services.AddHostedService<SqliteStartup>();
        return services.AddStorageOverAnyDatabase(options.LifecycleEvents);
    }

    /// <summary>
    /// The shared store: any number of serving processes on one PostgreSQL database. In a host it opens itself before the other
    /// hosted services start; a command that builds no host uses the contexts, the migrator and the ledger.
    /// </summary>
    /// <exception cref="StorageException">When it is first used: the connection cannot be read.</exception>
    public static IServiceCollection AddPostgresStorage(this IServiceCollection services, PostgresStorageOptions options)
    {
        services.AddSingleton(options);
        services.AddSingleton<PostgresDatabase>();
        services.AddSingleton<Partitions>();
        services.AddSingleton<UsageFold>();
        services.AddSingleton<OutboxDays>();
        services.AddSingleton<PostgresJournal>();
        services.AddSingleton<IDbContextFactory<GatewayDbContext>, PostgresDbContextFactory>();
        services.AddSingleton<IJournal>(provider => provider.GetRequiredService<PostgresJournal>());
        services.AddSingleton<IOpenAdmissions, PostgresOpenAdmissions>();
        services.AddSingleton<StoreReader, PostgresReader>();
        services.AddSingleton<IUsageLedger>(provider => new UsageLedger(provider.GetRequiredService<StoreReader>(), [UsageFold.Days, UsageFold.Deltas]));
        services.AddSingleton<IOutbox, PostgresOutbox>();
        services.AddSingleton<ISchemaHome, PostgresSchemaHome>();
        services.AddSingleton<ITransferStore, PostgresTransfer>();
        services.AddHostedService<PostgresStartup>();
        services.AddHostedService<IamListener>();
        return services.AddStorageOverAnyDatabase(options.LifecycleEvents);
    }

    /// <summary>
    /// Relays the outbox to these sinks. Call it after the store's own registration; with no sinks it still removes events that
    /// are older than the outbox's retention.
    /// </summary>
    /// <param name="dataDirectory">Where the file sinks' relative paths start.</param>
    /// <exception cref="StorageException">At the host's start, naming every mistake in the sinks' configuration.</exception>
    public static IServiceCollection AddRelay(this IServiceCollection services, string dataDirectory, IEnumerable<SinkOptions> sinks)
    {
        var configured = sinks.ToArray();
        services.AddHostedService(provider => new RelayHost(
            Sinks.From(configured, dataDirectory), provider.GetRequiredService<IOutbox>(),
            RelayOptions.Default, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<RelayHost>>()));
        return services;
    }

    private static IServiceCollection AddStorageOverAnyDatabase(this IServiceCollection services, bool lifecycleEvents)
    {
        services.AddLogging();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<OutboxSignal>();
        services.AddSingleton(provider => new AuditTrail(provider.GetRequiredService<StoreReader>()));
        services.AddSingleton<IAuditTrail>(provider => provider.GetRequiredService<AuditTrail>());
        services.AddSingleton(provider => new AuditVerifier(provider.GetRequiredService<AuditTrail>()));
        services.AddSingleton<IRequestHistory>(provider => new RequestHistory(provider.GetRequiredService<StoreReader>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<ICancellations>(provider => new Cancellations(
            provider.GetRequiredService<StoreReader>(), provider.GetRequiredService<OutboxSignal>(), lifecycleEvents, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IModelAuditStore>(provider => new ModelAuditStore(provider.GetRequiredService<StoreReader>(), provider.GetRequiredService<OutboxSignal>()));
        services.AddSingleton<IamChanges>();
        services.AddSingleton(provider => new StorageMigrator(
            provider.GetRequiredService<IDbContextFactory<GatewayDbContext>>(), provider.GetRequiredService<ISchemaHome>()));
        services.AddSingleton(provider => new OrphanSettler(
            provider.GetRequiredService<IJournal>(), provider.GetRequiredService<IOpenAdmissions>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<OrphanSettler>>()));
        services.AddSingleton(provider => new StorageTransfer(
            provider.GetRequiredService<ITransferStore>(), provider.GetRequiredService<StorageMigrator>(),
            provider.GetRequiredService<IDbContextFactory<GatewayDbContext>>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new StoreVersions(provider.GetRequiredService<StoreReader>()));
        services.AddSingleton(provider => new RegistryTables(
            provider.GetRequiredService<IDbContextFactory<GatewayDbContext>>(), provider.GetRequiredService<ISchemaHome>(), provider.GetRequiredService<StoreVersions>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new DeadLetters(
            provider.GetRequiredService<IDbContextFactory<GatewayDbContext>>(), provider.GetRequiredService<TimeProvider>()));
        return services;
    }
}
