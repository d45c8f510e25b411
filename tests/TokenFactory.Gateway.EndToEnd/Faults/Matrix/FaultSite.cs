using System.Globalization;
using Npgsql;
using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Servers;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Faults.Matrix;

/// <summary>
/// Replicas of one gateway, each with a line of its own to the one PostgreSQL and the one Redis, one backend behind them and one
/// consumer of their events. It serves many rounds, each with projects of its own.
/// </summary>
internal sealed class FaultSite : IAsyncDisposable
{
    public const int MostRounds = 32;
    public const string Sink = "billing";

    private readonly TempFolder _folder = new();
    private string _database = "";
    private int _rounds;

    // Replaced and never changed: callers go through it while replicas come and leave.
    private volatile Replica[] _replicas = [];

    private FaultSite(PostgresServer postgres, RedisServer redis, FakeUpstream upstream) => (Postgres, Redis, Upstream) = (postgres, redis, upstream);

    public PostgresServer Postgres { get; }

    public RedisServer Redis { get; }

    public FakeUpstream Upstream { get; }

    public Receiver Receiver { get; } = new();

    public IReadOnlyList<Replica> Replicas => _replicas;

    public bool HasRoundsLeft => _rounds < MostRounds;

    /// <summary>Straight to the server, past every line: for the checker.</summary>
    public string Connection => Postgres.ConnectionString(_database) + ";Pooling=false";

    /// <param name="database">Makes the database, and returns its name; null is one in the server's own folder.</param>
    public static async Task<FaultSite> OpenAsync(int replicas, Func<PostgresServer, Task<string>>? database = null)
    {
        var site = new FaultSite(
            await PostgresServer.StartAsync(), await RedisServer.StartAsync(), await FakeUpstream.StartAsync(new FakeUpstreamOptions { KeepBodies = false, KeepRequests = 1_000_000 }));
        try
        {
            site._database = database is null ? await site.Postgres.NewDatabaseAsync() : await database(site.Postgres);
            site.Upstream.On(Site.Reporting, Paced);
            site.Upstream.On(Site.Continuous, ask => Paced(ask).WithUsageOnEveryChunk());
            await site.Receiver.StartAsync();
            for (var replica = 0; replica < replicas; replica++)
            {
                await site.AddReplicaAsync();
            }

            return site;
        }
        catch
        {
            await site.DisposeAsync();
            throw;
        }
    }

    /// <summary>Books of their own for the next round.</summary>
    public Book NextBook() => new(_rounds++);

    /// <param name="environment">What this one alone has in its environment.</param>
    public async Task<Replica> AddReplicaAsync(params (string Name, string Value)[] environment)
    {
        var (database, limits) = (TcpProxy.Start(Postgres.Port, speaksPostgres: true), TcpProxy.Start(Redis.Port));
        try
        {
            var replica = new Replica(await GatewayProcess.StartAsync(Options(database.Port, limits.Port, environment)), database, limits);
            _replicas = [.. _replicas, replica];
            return replica;
        }
        catch
        {
            await database.DisposeAsync();
            await limits.DisposeAsync();
            throw;
        }
    }

    public async Task RemoveAsync(Replica replica)
    {
        _replicas = [.. _replicas.Except([replica])];
        await replica.DisposeAsync();
    }

    /// <summary>A command of an operator, with the configuration that the replicas have.</summary>
    public async Task<string> CommandAsync(params string[] arguments)
    {
        var options = Options(Postgres.Port, Redis.Port, []);
        var config = _folder.Write("command.yaml", options.Config!);
        var ended = await GatewayProcess.RunAsync([.. arguments, "--config", config, "--data", _folder.File("operator")], options: options);
        Assert.True(ended.ExitCode == 0, ended.ToString());
        return ended.Output.Trim();
    }

    /// <summary>What the replicas have to say of a failure, and with what Redis last failed them.</summary>
    public string Said() => string.Join("\n\n", _replicas.Select((replica, index) =>
    {
        var lines = replica.Gateway.Output.ToString().Split('\n');
        return $"replica {index}:\n" + string.Join('\n', [.. lines.Where(IsTelling).TakeLast(40), "…", .. lines.Where(IsOfRedis).TakeLast(4)]);
    }));

    public async ValueTask DisposeAsync()
    {
        foreach (var replica in _replicas)
        {
            await replica.DisposeAsync();
        }

        await Receiver.DisposeAsync();
        await Upstream.DisposeAsync();
        await Redis.DisposeAsync();
        await Postgres.DisposeAsync();
        _folder.Dispose();
    }

    private static bool IsOfRedis(string line) => line.Contains("Redis", StringComparison.Ordinal) && line.Contains("Exception: ", StringComparison.Ordinal);

    /// <summary>Neither a request's own line nor a line of a stack.</summary>
    private static bool IsTelling(string line) =>
        !line.Contains(" in, ", StringComparison.Ordinal) && !line.Contains("|    ", StringComparison.Ordinal) && !line.Contains("The limiter cannot be asked", StringComparison.Ordinal)
        && !line.Contains("Exception: ", StringComparison.Ordinal);

    /// <summary>Most answers are quick; one in eight takes its time, so that something is always under way.</summary>
    private static Script Paced(UpstreamAsk ask) => Script.Honest.Paced(TimeSpan.FromMilliseconds(ask.PromptTokens % 8 == 0 ? 40 : ask.PromptTokens % 4));

    private GatewayOptions Options(int database, int limits, (string Name, string Value)[] environment)
    {
        var projects = Enumerable.Range(0, MostRounds).SelectMany(round => new Book(round).Projects).ToArray();
        var variables = new Dictionary<string, string?>
        {
            ["FAULTS_POSTGRES"] = new NpgsqlConnectionStringBuilder(Postgres.ConnectionString(_database)) { Port = database }.ToString(),
            ["FAULTS_REDIS"] = string.Create(CultureInfo.InvariantCulture, $"redis://127.0.0.1:{limits}"),
            ["FAULTS_PEPPER"] = "the-pepper-of-all-replicas-is-one-and-the-same",
        };
        foreach (var project in projects)
        {
            variables[VariableOf(project)] = Book.KeyOf(project);
        }

        foreach (var (name, value) in environment)
        {
            variables[name] = value;
        }

        return new GatewayOptions { Environment = variables, Config = Config(projects) };
    }

    private static string VariableOf(string project) => "FAULTS_KEY_" + project.Replace('-', '_').ToUpperInvariant();

    private string Config(string[] projects) => string.Create(CultureInfo.InvariantCulture, $$"""
        store: { kind: postgres, connection: env:FAULTS_POSTGRES, instance_lease: 2s }
        limiter: { kind: redis, connection: env:FAULTS_REDIS }
        iam: { pepper: env:FAULTS_PEPPER }
        server: { drain_delay: 3s, drain: 10s }
        sinks:
          - { name: {{Sink}}, kind: cloudevents, url: "{{Receiver.Url}}", batch: 100 }
        providers:
          - { name: fake, kind: openai }
        deployments:
          - { name: reporting, provider: fake, endpoints: ["{{Upstream.BaseUrl}}"], usd_per_million: { input: 0.15, output: 0.60 }, health: { path: false } }
          - { name: continuous, provider: fake, endpoints: ["{{Upstream.BaseUrl}}"], usd_per_million: { input: 0.15, output: 0.60 }, continuous_usage: true, health: { path: false } }
        models:
          - { name: {{Site.Reporting}}, deployments: [ { use: reporting } ] }
          - { name: {{Site.Continuous}}, deployments: [ { use: continuous } ] }
        tenants:
          - name: acme
            projects:
        {{string.Join('\n', projects.Select(Project))}}
            keys:
        {{string.Join('\n', projects.Select(Key))}}
        """);

    private static string Project(string name) => string.Create(CultureInfo.InvariantCulture,
        $"      - {{ name: {name}, budgets: {{ tokens_per_month: {(name.StartsWith("tight", StringComparison.Ordinal) ? Book.TightBudget : Book.WideBudget)} }} }}");

    private static string Key(string project) => $"      - {{ name: {project}, project: {project}, scopes: [inference:chat], secret: env:{VariableOf(project)} }}";
}
