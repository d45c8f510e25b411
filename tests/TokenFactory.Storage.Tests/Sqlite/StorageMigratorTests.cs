using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.DependencyInjection;
using TokenFactory.Storage.Iam;
using TokenFactory.Storage.Sqlite;
using Xunit;

namespace TokenFactory.Storage.Tests.Sqlite;

public sealed class StorageMigratorTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_new_directory_gets_every_migration_and_a_second_call_none()
    {
        await using var services = Open(_directory.File("new/deep"));
        var migrator = services.GetRequiredService<StorageMigrator>();

        Assert.NotEmpty(await migrator.MigrateAsync());
        Assert.Empty(await migrator.MigrateAsync());
    }

    [Fact]
    public async Task Processes_that_start_at_once_apply_each_migration_once()
    {
        var all = Enumerable.Range(0, 4).Select(_ => Open(_directory.Path)).ToArray();

        var applied = await Task.WhenAll(all.Select(services => Task.Factory.StartNew(
            () => services.GetRequiredService<StorageMigrator>().MigrateAsync(), TaskCreationOptions.LongRunning).Unwrap()));

        await using var context = await all[0].GetRequiredService<IDbContextFactory<GatewayDbContext>>().CreateDbContextAsync();
        Assert.Empty(await context.Database.GetPendingMigrationsAsync());
        Assert.NotEmpty(applied.SelectMany(names => names));
        Array.ForEach(all, services => services.Dispose());
    }

    [Fact]
    public async Task A_process_killed_while_it_migrated_does_not_block_the_next_start()
    {
        await using var services = Open(_directory.Path);
        await using (var context = await services.GetRequiredService<IDbContextFactory<GatewayDbContext>>().CreateDbContextAsync())
        {
            await context.Database.ExecuteSqlRawAsync(
                "create table \"__EFMigrationsLock\" (\"Id\" integer primary key, \"Timestamp\" text not null); insert into \"__EFMigrationsLock\" values (1, '2026-01-01')");
        }

        Assert.NotEmpty(await services.GetRequiredService<StorageMigrator>().MigrateAsync().WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task P2_The_places_of_events_that_are_gone_are_not_given_again_by_a_migration()
    {
        await using var services = Open(_directory.Path);
        await using (var context = await services.GetRequiredService<IDbContextFactory<GatewayDbContext>>().CreateDbContextAsync())
        {
            await context.GetService<IMigrator>().MigrateAsync("ModelAudit");
            await context.Database.ExecuteSqlRawAsync("INSERT INTO outbox (seq, event_id, type, body, created_at) VALUES (41, x'01', 't', x'7b7d', 0); DELETE FROM outbox");
        }

        await services.GetRequiredService<StorageMigrator>().MigrateAsync();

        await using (var context = await services.GetRequiredService<IDbContextFactory<GatewayDbContext>>().CreateDbContextAsync())
        {
            await context.Database.ExecuteSqlRawAsync("INSERT INTO outbox (event_id, type, created_at) VALUES (x'02', 't', 0)");
            Assert.Equal([42L], await context.Database.SqlQueryRaw<long>("SELECT seq AS Value FROM outbox").ToListAsync());
        }
    }

    [Fact]
    public async Task The_model_and_the_migrations_agree()
    {
        await using var services = Open(_directory.Path);
        await using var context = await services.GetRequiredService<IDbContextFactory<GatewayDbContext>>().CreateDbContextAsync();

        Assert.False(context.Database.HasPendingModelChanges());
    }

    [Fact]
    public async Task A_newer_schema_is_served_until_it_needs_what_the_program_does_not_know()
    {
        await using var services = Open(_directory.Path);
        await services.GetRequiredService<StorageMigrator>().MigrateAsync();
        await using (var context = await services.GetRequiredService<IDbContextFactory<GatewayDbContext>>().CreateDbContextAsync())
        {
            await context.Database.ExecuteSqlRawAsync("insert into \"__EFMigrationsHistory\" values ('29990101000000_Later', '99')");
            Assert.Empty(await services.GetRequiredService<StorageMigrator>().MigrateAsync());
            await context.Database.ExecuteSqlRawAsync("update schema_needs set migration = '29990101000000_Later'");
        }

        var refusal = await Assert.ThrowsAsync<StorageException>(() => services.GetRequiredService<StorageMigrator>().MigrateAsync());
        Assert.Contains("29990101000000_Later", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_refused_with_advice()
    {
        await File.WriteAllTextAsync(_directory.File(SqliteFile.Name), new string('x', 8192));
        await using var services = Open(_directory.Path);

        var refusal = await Assert.ThrowsAsync<StorageException>(() => services.GetRequiredService<StorageMigrator>().MigrateAsync());
        Assert.Contains("not a readable database", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_directory_that_cannot_be_made_is_refused_by_name()
    {
        await File.WriteAllTextAsync(_directory.File("occupied"), "");
        await using var services = Open(_directory.File("occupied"));

        var refusal = await Assert.ThrowsAsync<StorageException>(() => services.GetRequiredService<StorageMigrator>().MigrateAsync());
        Assert.Contains("occupied", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_iam_change_raises_the_read_models_version_in_its_own_transaction()
    {
        await using var services = Open(_directory.Path);
        await services.GetRequiredService<StorageMigrator>().MigrateAsync();
        await using var context = await services.GetRequiredService<IDbContextFactory<GatewayDbContext>>().CreateDbContextAsync();
        var before = await context.ReadVersionAsync();

        context.Tenants.Add(new Tenant { Name = "acme", CreatedAt = DateTimeOffset.UnixEpoch });
        context.Projects.Add(new Project { Tenant = "acme", Name = "search", CreatedAt = DateTimeOffset.UnixEpoch });
        var key = new ApiKey { Id = "k3f9aaaa", Tenant = "acme", Project = "search", Name = "ci", Scopes = "inference:chat", User = "ada" };
        key.Secrets.Add(new ApiKeySecret { Id = Ids.New(TimeProvider.System), KeyId = key.Id, PepperVersion = "v1", Digest = new byte[32] });
        context.ApiKeys.Add(key);
        Assert.Equal(before + 1, await context.SaveIamChangesAsync());

        await using var other = await services.GetRequiredService<IDbContextFactory<GatewayDbContext>>().CreateDbContextAsync();
        other.Projects.Add(new Project { Tenant = "nobody", Name = "x" });
        await Assert.ThrowsAsync<DbUpdateException>(() => other.SaveIamChangesAsync());
        Assert.Equal(before + 1, await context.ReadVersionAsync());
        Assert.Single((await other.ApiKeys.Include(row => row.Secrets).SingleAsync()).Secrets);
    }

    private static ServiceProvider Open(string directory) => new ServiceCollection()
        .AddSqliteStorage(new SqliteStorageOptions { DataDirectory = directory, InstanceId = Ids.New(TimeProvider.System) })
        .BuildServiceProvider();
}
