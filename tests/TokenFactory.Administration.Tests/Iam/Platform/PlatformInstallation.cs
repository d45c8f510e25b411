using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using TokenFactory.Administration.Configuration;
using TokenFactory.Administration.Iam.Platform;
using TokenFactory.Administration.Tests.Configuration;
using TokenFactory.Inference.ReadModel;
using TokenFactory.TestKit.Clock;
using TokenFactory.TestKit.Iam;

namespace TokenFactory.Administration.Tests.Iam.Platform;

/// <summary>A source in front of a platform, asked when a test says so, on a clock that the test moves.</summary>
internal sealed class PlatformInstallation : IAsyncDisposable
{
    private ServiceProvider _services = null!;

    public FakePlatform Platform { get; private set; } = null!;

    public FakeClock Clock { get; } = new();

    public LogLines Said { get; } = new();

    public ConfigurationState State => _services.GetRequiredService<ConfigurationState>();

    public SnapshotStore Store => _services.GetRequiredService<SnapshotStore>();

    public PlatformReadModelSource Source => _services.GetRequiredService<PlatformReadModelSource>();

    public Snapshot Snapshot => Store.Current!;

    /// <summary>With the tenant, its project, and whatever else the platform says at first; read once.</summary>
    public static async Task<PlatformInstallation> NewAsync(params string[] lines)
    {
        var installation = new PlatformInstallation { Platform = await FakePlatform.StartAsync() };
        installation.Platform.Say([.. PlatformLine.Acme, .. lines]);
        var configuration = Yaml.Valid(Config(installation.Platform.Url), Environment);
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(installation.Clock);
        services.AddLogging(logging => logging.AddProvider(installation.Said));
        services.AddAdministration(configuration, new ConfigurationSource(null, new Dictionary<string, string>()), "/nowhere");
        installation._services = services.BuildServiceProvider();
        Assert.Null(await installation.Source.RefreshAsync(default));
        return installation;
    }

    public static (string, string)[] Environment { get; } = [("PLATFORM", PlatformLine.Credential), ("PEPPER", PlatformLine.Pepper)];

    public static string Config(Uri url) => $$"""
        iam: { mode: platform, url: "{{url}}", credential: env:PLATFORM, pepper: env:PEPPER, max_staleness: 30s, timeout: 1m, answer_limit: 1MB }
        """;

    /// <summary>Says the lines and reads them.</summary>
    public async Task<AnswerRefusedException?> SayAsync(params string[] lines)
    {
        Platform.Say(lines);
        return await RefreshAsync();
    }

    public Task<AnswerRefusedException?> RefreshAsync() => Source.RefreshAsync(default);

    /// <summary>As Access looks a presented key up.</summary>
    public KeySecret? Find(string key) =>
        Snapshot.Peppers.Select(pepper => Snapshot.Keys.Find(pepper.Digest(Encoding.UTF8.GetBytes(key)))).FirstOrDefault(secret => secret is not null);

    public bool Opens(string key) => Find(key) is { Key.IsRevoked: false };

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await Platform.DisposeAsync();
    }
}
