using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Relay;
using TokenFactory.Storage.Sqlite;

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
        services.AddLogging();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        services.AddSingleton<SqliteFile>();
        services.AddSingleton<OutboxSignal>();
        services.AddSingleton<SqliteJournal>();
        services.AddSingleton<SqliteOpenAdmissions>();
        services.AddSingleton<IDbContextFactory<GatewayDbContext>, SqliteDbContextFactory>();
        services.AddSingleton<IJournal>(provider => provider.GetRequiredService<SqliteJournal>());
        services.AddSingleton<IUsageLedger, SqliteUsageLedger>();
        services.AddSingleton<IOutbox, SqliteOutbox>();
        services.AddSingleton(provider => new StorageMigrator(
            provider.GetRequiredService<IDbContextFactory<GatewayDbContext>>(), provider.GetRequiredService<SqliteFile>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new OrphanSettler(
            provider.GetRequiredService<IJournal>(), provider.GetRequiredService<SqliteOpenAdmissions>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<OrphanSettler>>()));
        services.AddSingleton(provider => new DeadLetters(provider.GetRequiredService<SqliteFile>(), provider.GetRequiredService<TimeProvider>()));
        services.AddHostedService<SqliteStartup>();
        return services;
    }

    /// <summary>
    /// Relays the outbox to these sinks. Call it after the store's own registration; with no sinks it still removes events that
    /// are older than the outbox's retention.
    /// </summary>
    /// <exception cref="StorageException">At the host's start, naming every mistake in the sinks' configuration.</exception>
    public static IServiceCollection AddRelay(this IServiceCollection services, IEnumerable<SinkOptions> sinks)
    {
        var configured = sinks.ToArray();
        services.AddHostedService(provider => new RelayHost(
            Sinks.From(configured, provider.GetRequiredService<SqliteStorageOptions>().DataDirectory), provider.GetRequiredService<IOutbox>(),
            RelayOptions.Default, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<RelayHost>>()));
        return services;
    }
}
