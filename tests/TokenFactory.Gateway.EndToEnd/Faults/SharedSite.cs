using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Servers;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Faults;

/// <summary>Replicas of one gateway on one database and one Redis of their own, and the backend behind them.</summary>
internal sealed class SharedSite : IAsyncDisposable
{
    private readonly List<GatewayProcess> _gateways = [];
    private readonly List<HttpClient> _clients = [];
    private readonly TempFolder _data = new();
    private readonly RedisServer _redis;
    private readonly GatewayOptions _options;

    private SharedSite(RedisServer redis, FakeUpstream upstream, string connection, long tokensPerMonth)
    {
        (_redis, Upstream) = (redis, upstream);
        Books = new Books(_data.Path, connection);
        var site = Site.Options(
            upstream, tokensPerMonth: tokensPerMonth, more: "\nlimiter: { kind: redis, connection: env:FAULTS_REDIS }").OnPostgres(connection);
        _options = site with { Environment = new Dictionary<string, string?>(site.Environment) { ["FAULTS_REDIS"] = redis.Url } };
    }

    public FakeUpstream Upstream { get; }

    public Books Books { get; }

    public IReadOnlyList<GatewayProcess> Gateways => _gateways;

    /// <summary>One for each replica, with the site's key.</summary>
    public IReadOnlyList<HttpClient> Clients => _clients;

    public static async Task<SharedSite> OpenAsync(string connection, long tokensPerMonth, int replicas)
    {
        var site = new SharedSite(await RedisServer.StartAsync(), await FakeUpstream.StartAsync(), connection, tokensPerMonth);
        try
        {
            for (var replica = 0; replica < replicas; replica++)
            {
                site._gateways.Add(await GatewayProcess.StartAsync(site._options));
                site._clients.Add(Site.Client(site._gateways[^1]));
            }

            return site;
        }
        catch
        {
            await site.DisposeAsync();
            throw;
        }
    }

    /// <summary>A command of an operator, with the configuration that the replicas have.</summary>
    public async Task<CommandResult> CommandAsync(params string[] arguments)
    {
        var config = _data.Write("command.yaml", _options.Config!);
        var ended = await GatewayProcess.RunAsync([.. arguments, "--config", config, "--data", _data.File("operator")], options: _options);
        Assert.True(ended.ExitCode == 0, ended.Error);
        return ended;
    }

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(client => client.Dispose());
        foreach (var gateway in _gateways)
        {
            await gateway.DisposeAsync();
        }

        await Upstream.DisposeAsync();
        await _redis.DisposeAsync();
        _data.Dispose();
    }
}
