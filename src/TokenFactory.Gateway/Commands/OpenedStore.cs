using System.Collections;
using System.CommandLine;
using TokenFactory.Administration;
using TokenFactory.Administration.Configuration;
using TokenFactory.Administration.Iam;
using TokenFactory.Administration.Registration;
using TokenFactory.Gateway.Hosting;
using TokenFactory.Storage;
using TokenFactory.Storage.Audit;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.ModelAudit;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Registry;
using TokenFactory.Storage.Requests;

namespace TokenFactory.Gateway.Commands;

/// <summary>An installation's store, opened by a command beside the process that serves it.</summary>
internal sealed class OpenedStore(ServiceProvider services) : IAsyncDisposable
{
    public TimeProvider Clock => services.GetRequiredService<TimeProvider>();

    public GatewayConfiguration Configuration => services.GetRequiredService<ConfigurationState>().Current;

    public EmbeddedIam Iam => services.GetRequiredService<EmbeddedIam>();

    public DeadLetters DeadLetters => services.GetRequiredService<DeadLetters>();

    public IAuditTrail AuditTrail => services.GetRequiredService<IAuditTrail>();

    public AuditVerifier AuditVerifier => services.GetRequiredService<AuditVerifier>();

    public IUsageLedger Ledger => services.GetRequiredService<IUsageLedger>();

    public RegistryAdministration Registry => services.GetRequiredService<RegistryAdministration>();

    public IRequestHistory Requests => services.GetRequiredService<IRequestHistory>();

    public IModelAuditStore ModelAudit => services.GetRequiredService<IModelAuditStore>();

    public ICancellations Cancellations => services.GetRequiredService<ICancellations>();

    /// <summary>Opens, migrates, runs; what the operator can mend is told on standard error, with exit code 1.</summary>
    public static async Task<int> RunAsync(StoreOptions options, ParseResult result, Func<OpenedStore, Task<int>> run, CancellationToken cancel)
    {
        var data = result.GetValue(options.Data)!;
        var source = new ConfigurationSource(result.GetValue(options.Config), EnvironmentVariables());
        if (await InstallationConfiguration.ReadOrSaySoAsync(source, data, cancel) is not { } configuration)
        {
            return 1;
        }

        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(TimeProvider.System);
        services.AddStore(configuration, data, Ids.New(TimeProvider.System));
        services.AddEmbeddedIam(configuration, data);
        services.AddSingleton(provider => new RegistryAdministration(
            provider.GetRequiredService<RegistryTables>(), source, provider.GetRequiredService<TimeProvider>()));
        await using var opened = new OpenedStore(services.BuildServiceProvider());
        try
        {
            await opened.PrepareAsync(cancel);
            return await run(opened);
        }
        catch (Exception e) when (e is StorageException or InvalidDataException)
        {
            return await RefuseAsync(e.Message);
        }
    }

    public static async Task<int> RefuseAsync(string message)
    {
        await Console.Error.WriteLineAsync(message);
        return 1;
    }

    public ValueTask DisposeAsync() => services.DisposeAsync();

    public static Dictionary<string, string> EnvironmentVariables() =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .ToDictionary(variable => (string)variable.Key, variable => (string?)variable.Value ?? "", StringComparer.Ordinal);

    private async Task PrepareAsync(CancellationToken cancel)
    {
        await services.GetRequiredService<StorageMigrator>().MigrateAsync(cancel);
        await services.GetRequiredService<FirstKey>().EnsureTenantAsync(cancel);
    }
}
