using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using TokenFactory.Inference.Dispatch.Connecting;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Keys;
using TokenFactory.Inference.ReadModel.Routes;
using TokenFactory.Storage;
using TokenFactory.Storage.Requests;
using TokenFactory.Storage.Sqlite;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Processes;

namespace TokenFactory.Inference.Tests.Dispatch.Connecting;

/// <summary>The whole path on a real store and a real connection, in this process: names resolve to what a test says, and the registry is swapped when it says so.</summary>
internal sealed class InProcessGateway : IAsyncDisposable
{
    private const string Key = "a-key-of-the-tenant-acme";

    private readonly TempFolder _data = new();
    private readonly Pepper _pepper = new("v1", new byte[32]);
    private readonly SnapshotStore _snapshots = new(TimeProvider.System, TimeSpan.FromMinutes(10));
    private readonly WebApplication _app;
    private long _version;

    private InProcessGateway(Registry registry)
    {
        Publish(registry);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRouting();
        builder.Services.AddSingleton<ILoggerProvider>(new Lines(Log));
        builder.Services.AddSingleton(TimeProvider.System).AddSingleton(_snapshots);
        builder.Services.AddSqliteStorage(new SqliteStorageOptions { DataDirectory = _data.Path, InstanceId = Guid.NewGuid() });
        builder.Services.AddInference(new InferenceOptions { InstanceId = Guid.NewGuid() });
        builder.Services.Replace(ServiceDescriptor.Singleton<ResolveName>((host, _) => Task.FromResult(Names[host])));
        _app = builder.Build();
        _app.UseInferenceErrors();
        ((IEndpointRouteBuilder)_app).MapInference();
    }

    public ConcurrentDictionary<string, IPAddress[]> Names { get; } = new(StringComparer.Ordinal);

    public ConcurrentQueue<string> Log { get; } = new();

    public HttpClient Client { get; } = new();

    public static async Task<InProcessGateway> StartAsync(Registry registry, params (string Name, string Address)[] names)
    {
        var gateway = new InProcessGateway(registry);
        foreach (var (name, address) in names)
        {
            gateway.Names[name] = [IPAddress.Parse(address)];
        }

        await gateway._app.StartAsync();
        gateway.Client.BaseAddress = new Uri(gateway._app.Urls.Single());
        gateway.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        return gateway;
    }

    public void Publish(Registry registry)
    {
        var acme = new Tenant("acme");
        var key = new ApiKey
        {
            Id = "acmekey1",
            Name = "k",
            Tenant = acme,
            Project = new Project("p", null, ModelAllowList.All, LimitSet.None),
            Scopes = new[] { "inference:*" }.ToFrozenSet(),
            Models = ModelAllowList.All,
            Limits = LimitSet.None,
        };
        _snapshots.Publish(new Snapshot
        {
            Version = ++_version,
            Revision = "1",
            Registry = registry,
            Tenants = new[] { acme }.ToFrozenDictionary(tenant => tenant.Name),
            Keys = KeyTable.Of([new(_pepper.Digest(Encoding.UTF8.GetBytes(Key)), new KeySecret(key, null))]),
            Peppers = [_pepper],
        });
    }

    public async Task<(HttpStatusCode Status, string Text, RequestRecord Record)> ChatAsync(string model)
    {
        using var body = new ByteArrayContent(The.ChatRequest(model)) { Headers = { ContentType = new("application/json") } };
        using var answer = await Client.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), body);
        var id = Guid.Parse(answer.Headers.GetValues("x-request-id").Single());
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(), (await _app.Services.GetRequiredService<IRequestHistory>().FindAsync(id, "acme", "p", CancellationToken.None))!);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
        _data.Dispose();
    }

    private sealed class Lines(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => lines.Enqueue(formatter(state, exception));

        public void Dispose()
        {
        }
    }
}
