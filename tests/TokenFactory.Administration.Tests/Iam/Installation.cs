using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TokenFactory.Administration.Configuration;
using TokenFactory.Administration.Iam;
using TokenFactory.Administration.Tests.Configuration;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage;
using TokenFactory.Storage.Sqlite;

namespace TokenFactory.Administration.Tests.Iam;

/// <summary>An installation in a directory of its own, on the real store; several may share one, as `serve` and the command line do.</summary>
internal sealed class Installation : IAsyncDisposable
{
    private static readonly (string, string)[] _noVariables = [];

    private readonly ServiceProvider _services;
    private readonly bool _ownsDirectory;

    private Installation(string directory, bool ownsDirectory, string yaml, (string, string)[] environment, TimeProvider clock)
    {
        Directory = directory;
        _ownsDirectory = ownsDirectory;
        File = Path.Combine(directory, "gateway.yaml");
        if (yaml.Length > 0)
        {
            System.IO.File.WriteAllText(File, yaml);
        }

        var variables = environment.ToDictionary(e => e.Item1, e => e.Item2, StringComparer.Ordinal);
        var services = new ServiceCollection();
        services.AddSingleton(clock);
        services.AddLogging(logging => logging.AddProvider(Said));
        services.AddSqliteStorage(new SqliteStorageOptions { DataDirectory = directory, InstanceId = Ids.New(TimeProvider.System) });
        services.AddAdministration(Yaml.Valid(yaml, environment), new ConfigurationSource(yaml.Length > 0 ? File : null, variables), directory);
        _services = services.BuildServiceProvider();
    }

    public string Directory { get; }

    public string File { get; }

    public LogLines Said { get; } = new();

    public EmbeddedIam Iam => _services.GetRequiredService<EmbeddedIam>();

    public FirstKey FirstKey => _services.GetRequiredService<FirstKey>();

    public EmbeddedReadModelSource Source => _services.GetRequiredService<EmbeddedReadModelSource>();

    public SnapshotStore Store => _services.GetRequiredService<SnapshotStore>();

    public ConfigurationState State => _services.GetRequiredService<ConfigurationState>();

    public ConfigurationWatcher Watcher => _services.GetServices<IHostedService>().OfType<ConfigurationWatcher>().Single();

    public Snapshot Snapshot => Store.Current!;

    public static Task<Installation> NewAsync(string yaml = "", params (string, string)[] environment) =>
        NewAsync(TimeProvider.System, yaml, environment);

    public static async Task<Installation> NewAsync(TimeProvider clock, string yaml, (string, string)[] environment)
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("tfg-admin-");
        var installation = new Installation(directory.FullName, ownsDirectory: true, yaml, environment, clock);
        await installation._services.GetRequiredService<StorageMigrator>().MigrateAsync();
        await installation.FirstKey.EnsureTenantAsync(default);
        return installation;
    }

    /// <summary>No poll ever comes: what changes is changed by a signal.</summary>
    public static Task<Installation> NewWithoutTimersAsync() => NewAsync(new TimerlessClock(), "", _noVariables);

    /// <summary>The same directory opened a second time.</summary>
    public Installation Beside() => new(Directory, ownsDirectory: false, "", _noVariables, TimeProvider.System);

    public async Task<MintedKey> MintAsync(string tenant = "default", string project = "default")
    {
        var change = await Iam.CreateAsync(new NewKey { Tenant = tenant, Project = project, Name = "ci" }, default);
        Assert.Null(change.Refusal);
        return change.Minted!;
    }

    /// <summary>As Access looks a presented key up.</summary>
    public KeySecret? Find(string key) =>
        Snapshot.Peppers
            .Select(pepper => Snapshot.Keys.Find(pepper.Digest(System.Text.Encoding.ASCII.GetBytes(key))))
            .FirstOrDefault(secret => secret is not null);

    public KeySecret? Find(MintedKey key) => Find(key.Key.Reveal());

    public async Task<GatewayDbContext> OpenAsync() =>
        await _services.GetRequiredService<IDbContextFactory<GatewayDbContext>>().CreateDbContextAsync();

    /// <summary>Until it holds, or the two seconds are over that revocation may take at most.</summary>
    public static async Task<bool> SoonAsync(Func<bool> holds)
    {
        for (var i = 0; i < 200; i++)
        {
            if (holds())
            {
                return true;
            }

            await Task.Delay(10);
        }

        return holds();
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        if (_ownsDirectory)
        {
            Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
            System.IO.Directory.Delete(Directory, recursive: true);
        }
    }
}
