using System.Collections.Frozen;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TokenFactory.Gateway.Health;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Keys;
using TokenFactory.Storage.Journal;
using Xunit;

namespace TokenFactory.Gateway.Tests.Health;

public sealed class HealthEndpointsTests : IAsyncLifetime
{
    private readonly SnapshotStore _snapshots = new(TimeProvider.System, TimeSpan.FromMinutes(1));
    private readonly WebApplication _app;
    private HttpClient? _client;

    public HealthEndpointsTests()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(_snapshots);
        builder.Services.AddSingleton<IJournal>(new OpenJournal());
        builder.Services.AddHealth(new ReadinessOptions());
        _app = builder.Build();
        _app.MapHealth();
    }

    public async ValueTask InitializeAsync()
    {
        await _app.StartAsync();
        _client = new HttpClient { BaseAddress = new Uri(_app.Urls.Single()) };
    }

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        await _app.DisposeAsync();
    }

    [Fact]
    public async Task Live_answers_while_nothing_is_ready_yet()
    {
        using var live = await _client!.GetAsync("/health/live");
        using var ready = await _client.GetAsync("/health/ready");

        Assert.Equal(HttpStatusCode.OK, live.StatusCode);
        Assert.Equal("""{"status":"live"}""", await live.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.True(ready.Headers.CacheControl!.NoStore);
    }

    [Fact]
    public async Task Ready_shows_the_revision_in_force_and_each_check()
    {
        _snapshots.Publish(new Snapshot
        {
            Version = 1,
            Revision = "rev-42",
            Registry = Registry.Empty,
            Tenants = FrozenDictionary<string, Tenant>.Empty,
            Keys = KeyTable.Empty,
            Peppers = [],
        });

        using var response = await _client!.GetAsync("/health/ready");
        using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync());

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("rev-42", body.RootElement.GetProperty("revision").GetString());
        Assert.Equal(ProductVersion.Current.Version, body.RootElement.GetProperty("version").GetString());
        Assert.Equal("""{"snapshot":"pass","journal":"pass","draining":"pass"}""", body.RootElement.GetProperty("checks").GetRawText());
    }

    [Fact]
    public async Task Stopping_the_process_drops_readiness_at_once()
    {
        var readiness = _app.Services.GetRequiredService<Readiness>();

        _app.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        await Task.Yield();

        Assert.Contains(("draining", CheckState.Fail), readiness.Look().Checks);
    }

    private sealed class OpenJournal : IJournal
    {
        public bool IsWritable => true;

        public Task AdmitAsync(Admission admission) => throw new NotSupportedException();

        public Task SettleOnceAsync(Settlement settlement, Task? admitted = null) => throw new NotSupportedException();

        public Task SettleLateAsync(Settlement settlement) => throw new NotSupportedException();

        public Task RecordAsync(Denial denial) => throw new NotSupportedException();

        public void Note(Checkpoint checkpoint) => throw new NotSupportedException();
    }
}
