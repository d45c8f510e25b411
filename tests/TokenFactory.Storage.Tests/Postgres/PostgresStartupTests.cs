using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Postgres;
using TokenFactory.Storage.Relay;
using TokenFactory.Storage.Tests.Sqlite;
using TokenFactory.TestKit.Contracts;
using TokenFactory.TestKit.Servers;
using Xunit;

namespace TokenFactory.Storage.Tests.Postgres;

public sealed class PostgresStartupTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task P2_Replicas_agree_on_what_was_served_settled_and_relayed_over_a_stop_and_an_orphan()
    {
        var server = await PostgresServer.SharedAsync();
        var database = await server.NewDatabaseAsync();
        var (one, other) = (Ids.New(TimeProvider.System), Ids.New(TimeProvider.System));
        var orphan = SomeRequest.Admission(one);
        var served = SomeRequest.Admission(other);
        using (var first = Build(server, database, one))
        using (var second = Build(server, database, other))
        {
            await Task.WhenAll(first.StartAsync(), second.StartAsync());
            await first.Services.GetRequiredService<IJournal>().AdmitAsync(orphan);
            await first.StopAsync();

            var journal = second.Services.GetRequiredService<IJournal>();
            await Task.WhenAll(journal.AdmitAsync(served), journal.SettleOnceAsync(SomeRequest.Settlement(served)));
            for (var tries = 0; Relayed().Count < 2 && tries < 1500; tries++)
            {
                await Task.Delay(20);
            }

            await second.StopAsync();
            Assert.False(journal.IsWritable);
        }

        Assert.Equal(new[] { orphan.RequestId, served.RequestId }.Order(), Relayed().Order());
    }

    private List<Guid> Relayed()
    {
        var path = _directory.File("events.jsonl");
        return File.Exists(path) ? [.. File.ReadAllLines(path).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("id").GetGuid())] : [];
    }

    private IHost Build(PostgresServer server, string database, Guid instance) => new HostBuilder()
        .ConfigureServices(services => services
            .AddPostgresStorage(new PostgresStorageOptions
            {
                Connection = server.ConnectionString(database),
                InstanceId = instance,
                InstanceLease = TimeSpan.FromSeconds(1),
                SinkLease = TimeSpan.FromSeconds(30),
            })
            .AddRelay(_directory.Path, [new SinkOptions { Name = "billing", Kind = SinkKind.File, Path = "events.jsonl" }]))
        .Build();
}
