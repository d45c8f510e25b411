using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Relay;
using TokenFactory.Storage.Sqlite;
using TokenFactory.TestKit.Contracts;
using Xunit;

namespace TokenFactory.Storage.Tests.Sqlite;

public sealed class SqliteStartupTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_second_gateway_on_one_directory_is_refused_while_commands_may_read_it()
    {
        using var first = Build();
        await first.StartAsync();
        using var second = Build();

        var refusal = await Assert.ThrowsAsync<StorageException>(() => second.StartAsync());
        Assert.Contains("Another gateway", refusal.Message, StringComparison.Ordinal);
        await using var command = new ServiceCollection()
            .AddSqliteStorage(new SqliteStorageOptions { DataDirectory = _directory.Path, InstanceId = Ids.New(TimeProvider.System) }).BuildServiceProvider();
        Assert.Empty(await command.GetRequiredService<StorageMigrator>().MigrateAsync());
        Assert.Empty(await command.GetRequiredService<IUsageLedger>().SummariseAsync(new UsageFilter { Tenant = null }, UsageGrouping.Day, default));

        await first.StopAsync();
        using var third = Build();
        await third.StartAsync();
        await third.StopAsync();
    }

    [Fact]
    public async Task P8_the_file_and_its_log_are_their_owners_alone()
    {
        using var gateway = Build();
        await gateway.StartAsync();

        var files = Directory.GetFiles(_directory.Path, SqliteFile.Name + "*");

        Assert.Contains(files, file => file.EndsWith("-wal", StringComparison.Ordinal));
        foreach (var file in OperatingSystem.IsWindows() ? [] : files)
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, new FileInfo(file).UnixFileMode);
        }

        await gateway.StopAsync();
    }

    [Fact]
    public async Task What_stands_in_the_locks_place_is_named_and_is_not_another_gateway()
    {
        Directory.CreateDirectory(Path.Combine(_directory.Path, "gateway.lock"));
        using var gateway = Build();

        var refusal = await Assert.ThrowsAsync<StorageException>(() => gateway.StartAsync());

        Assert.Contains("gateway.lock", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Another gateway", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_container_disposed_of_without_awaiting_writes_what_was_handed_over()
    {
        var instance = Ids.New(TimeProvider.System);
        var services = new ServiceCollection().AddSqliteStorage(new SqliteStorageOptions { DataDirectory = _directory.Path, InstanceId = instance }).BuildServiceProvider();
        await services.GetRequiredService<StorageMigrator>().MigrateAsync();
        await services.GetRequiredService<SqliteJournal>().OpenAsync();
        var admitted = services.GetRequiredService<IJournal>().AdmitAsync(SomeRequest.Admission(instance));

        services.Dispose();

        Assert.True(admitted.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task P2_Served_settled_and_relayed_agree_over_a_start_an_orphan_and_a_stop()
    {
        var instance = Ids.New(TimeProvider.System);
        var orphan = SomeRequest.Admission(instance);
        using (var first = Build(instance))
        {
            await first.StartAsync();
            await first.Services.GetRequiredService<IJournal>().AdmitAsync(orphan);
            await first.StopAsync();
        }

        // The same instance id again, as where it is configured: the earlier process' open request is an orphan all the same.
        var served = SomeRequest.Admission(instance);
        using (var second = Build(instance))
        {
            await second.StartAsync();
            var journal = second.Services.GetRequiredService<IJournal>();
            await Task.WhenAll(journal.AdmitAsync(served), journal.SettleOnceAsync(SomeRequest.Settlement(served)));
            await second.StopAsync();
            Assert.False(journal.IsWritable);
        }

        var lines = await File.ReadAllLinesAsync(_directory.File("events.jsonl"));
        Assert.Equal([orphan.RequestId, served.RequestId], lines.Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty("id").GetGuid()));
    }

    private IHost Build(Guid? instance = null) => new HostBuilder()
        .ConfigureServices(services => services
            .AddSqliteStorage(new SqliteStorageOptions { DataDirectory = _directory.Path, InstanceId = instance ?? Ids.New(TimeProvider.System) })
            .AddRelay(_directory.Path, [new SinkOptions { Name = "billing", Kind = SinkKind.File, Path = "events.jsonl" }]))
        .Build();
}
