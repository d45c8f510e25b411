using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using TokenFactory.Storage.Audit;
using TokenFactory.Storage.Iam;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Postgres;
using TokenFactory.TestKit.Servers;
using Xunit;

namespace TokenFactory.Storage.Tests.Postgres;

public sealed class PostgresMigratorTests
{
    [Fact]
    public async Task A_new_database_gets_every_migration_and_its_partitions_and_a_second_call_nothing()
    {
        var server = await PostgresServer.SharedAsync();
        await using var services = PostgresUnderTest.Build(server, await server.NewDatabaseAsync());
        var migrator = services.GetRequiredService<StorageMigrator>();

        var done = await migrator.MigrateAsync();
        Assert.EndsWith("_Initial", done[0], StringComparison.Ordinal);
        Assert.Contains(done, name => name.StartsWith("outbox_p", StringComparison.Ordinal));
        Assert.Empty(await migrator.MigrateAsync());
    }

    [Fact]
    public async Task Processes_that_start_at_once_apply_each_migration_once()
    {
        var server = await PostgresServer.SharedAsync();
        var database = await server.NewDatabaseAsync();
        var all = Enumerable.Range(0, 4).Select(_ => PostgresUnderTest.Build(server, database)).ToArray();

        var applied = await Task.WhenAll(all.Select(services => services.GetRequiredService<StorageMigrator>().MigrateAsync()));

        var names = applied.SelectMany(one => one).ToArray();
        Assert.Equal(names.Length, names.Distinct().Count());
        Array.ForEach(all, services => services.Dispose());
    }

    [Fact]
    public async Task The_model_and_the_migrations_agree()
    {
        var server = await PostgresServer.SharedAsync();
        await using var services = PostgresUnderTest.Build(server, "postgres");
        await using var context = await services.GetRequiredService<IDbContextFactory<GatewayDbContext>>().CreateDbContextAsync();

        Assert.False(context.Database.HasPendingModelChanges());
    }

    [Fact]
    public async Task A_newer_schema_is_served_until_it_needs_what_the_program_does_not_know()
    {
        await using var store = await PostgresUnderTest.OpenAsync();
        await store.ExecuteAsync("insert into \"__EFMigrationsHistory\" values ('29990101000000_Later', '99')");
        await using (var older = PostgresUnderTest.Build(store.Server, store.Database))
        {
            Assert.Empty(await older.GetRequiredService<StorageMigrator>().MigrateAsync());
            await older.GetRequiredService<PostgresJournal>().OpenAsync();
            await older.GetRequiredService<IJournal>().AdmitAsync(TestKit.Contracts.SomeRequest.Admission(store.InstanceId));
        }

        await store.ExecuteAsync("update schema_needs set migration = '29990101000000_Later'");
        var refusal = await Assert.ThrowsAsync<StorageException>(() => store.Services.GetRequiredService<StorageMigrator>().MigrateAsync());
        Assert.Contains("29990101000000_Later", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task P12_What_is_wrong_with_the_database_is_told_with_its_remedy_and_without_its_password()
    {
        var server = await PostgresServer.SharedAsync();
        var database = await server.NewDatabaseAsync();
        await server.ExecuteAsync(database, "CREATE ROLE weak LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC");

        Assert.Contains("does not exist. Create it", await RefusalAsync(server.ConnectionString("no_such_database")), StringComparison.Ordinal);
        Assert.Contains("Run 'gateway migrate' as the schema's owner", await RefusalAsync(server.ConnectionString(database, "weak")), StringComparison.Ordinal);
        Assert.Contains("cannot be reached", await RefusalAsync("postgres://me:se%63ret@127.0.0.1:1/gateway"), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", await RefusalAsync("postgres://me:se%63ret@127.0.0.1:1/gateway"), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", await RefusalAsync("Host=db;Pasword=secret"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task P9_A_session_that_works_for_one_tenant_sees_no_others_rows_whatever_it_asks()
    {
        await using var owner = await PostgresUnderTest.OpenAsync();
        await owner.Journal.SettleOnceAsync(TestKit.Contracts.SomeRequest.Settlement(TestKit.Contracts.SomeRequest.Admission(owner.InstanceId, "acme")));
        await owner.Journal.SettleOnceAsync(TestKit.Contracts.SomeRequest.Settlement(TestKit.Contracts.SomeRequest.Admission(owner.InstanceId, "globex")));
        await owner.ExecuteAsync("CREATE ROLE walled LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO walled");
        await using var source = Npgsql.NpgsqlDataSource.Create(owner.Server.ConnectionString(owner.Database, "walled"));

        foreach (var table in (string[])["settlements", "usage_deltas", "audit_records"])
        {
            Assert.Equal(1L, await CountAsync($"SELECT set_config('tokenfactory.tenant', 'acme', true); SELECT count(*) FROM {table}"));
            Assert.Equal(0L, await CountAsync($"SELECT set_config('tokenfactory.tenant', 'acme', true); SELECT count(*) FROM {table} WHERE tenant = 'globex'"));
            Assert.Equal(2L, await CountAsync($"SELECT 1; SELECT count(*) FROM {table}"));
        }

        await using var services = PostgresUnderTest.Build(owner.Server, owner.Database, user: "walled");
        var ledger = services.GetRequiredService<IUsageLedger>();
        Assert.Equal(1, (await ledger.SummariseAsync(new() { Tenant = "acme" }, default, default))[0].Requests);
        Assert.Equal(2, (await ledger.SummariseAsync(new() { Tenant = null }, default, default))[0].Requests);

        // Its record follows one that is walled off, and proves itself all the same.
        var record = Assert.Single(await services.GetRequiredService<IAuditTrail>().PageAsync(new AuditFilter { Tenant = "globex" }, null, 10, default));
        Assert.Equal(2, record.Sequence);
        Assert.True(AuditVerifier.IsHashOf(record.Chain, record.Sequence, record.Previous, record.Body, record.Hash));

        async Task<object?> CountAsync(string sql)
        {
            await using var command = source.CreateCommand(sql);
            await using var reader = await command.ExecuteReaderAsync();
            await reader.NextResultAsync();
            await reader.ReadAsync();
            return reader.GetValue(0);
        }
    }

    [Fact]
    public async Task P9_Every_table_with_a_tenant_has_the_wall()
    {
        await using var store = await PostgresUnderTest.OpenAsync();

        Assert.Equal("", await store.ScalarAsync<string>(
            """
            SELECT coalesce(string_agg(c.relname, ', '), '') FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant'
            WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
            """));
    }

    [Fact]
    public async Task A_user_that_may_only_read_and_write_serves_a_migrated_schema()
    {
        await using var owner = await PostgresUnderTest.OpenAsync();
        await owner.ExecuteAsync(
            """
            CREATE ROLE app LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC;
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app; GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO app
            """);
        await using var services = PostgresUnderTest.Build(owner.Server, owner.Database, user: "app", clock: new ShiftedClock(TimeSpan.FromDays(100)));

        Assert.Empty(await services.GetRequiredService<StorageMigrator>().MigrateAsync());
        var startup = services.GetServices<Microsoft.Extensions.Hosting.IHostedService>().OfType<PostgresStartup>().Single();
        await startup.StartingAsync(default);
        var admission = TestKit.Contracts.SomeRequest.Admission(owner.InstanceId);
        await services.GetRequiredService<IJournal>().AdmitAsync(admission);
        await services.GetRequiredService<IJournal>().SettleOnceAsync(TestKit.Contracts.SomeRequest.Settlement(admission));
        await services.GetRequiredService<UsageFold>().FoldAsync(default);
        Assert.Equal(1, await owner.CountAsync("usage_days"));
        await startup.StoppedAsync(default);
    }

    [Fact]
    public async Task P12_A_user_that_was_not_granted_a_migrations_new_tables_does_not_start()
    {
        await using var owner = await PostgresUnderTest.OpenAsync();
        await owner.ExecuteAsync("CREATE ROLE late LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO late; REVOKE INSERT ON usage_deltas, adjustments FROM late");
        await using var services = PostgresUnderTest.Build(owner.Server, owner.Database, user: "late");
        var startup = services.GetServices<Microsoft.Extensions.Hosting.IHostedService>().OfType<PostgresStartup>().Single();

        var refusal = await Assert.ThrowsAsync<StorageException>(() => startup.StartingAsync(default));

        Assert.Contains("adjustments, usage_deltas", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("GRANT SELECT", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_iam_change_raises_the_read_models_version_in_its_own_transaction()
    {
        await using var store = await PostgresUnderTest.OpenAsync();
        await using var context = await store.Services.GetRequiredService<IDbContextFactory<GatewayDbContext>>().CreateDbContextAsync();
        var before = await context.ReadVersionAsync();
        context.Tenants.Add(new Tenant { Name = "acme", CreatedAt = DateTimeOffset.UnixEpoch });
        context.Projects.Add(new Project { Tenant = "acme", Name = "search", CreatedAt = DateTimeOffset.UnixEpoch });
        Assert.Equal(before + 1, await context.SaveIamChangesAsync());

        await using var other = await store.Services.GetRequiredService<IDbContextFactory<GatewayDbContext>>().CreateDbContextAsync();
        other.Projects.Add(new Project { Tenant = "nobody", Name = "x" });
        await Assert.ThrowsAsync<DbUpdateException>(() => other.SaveIamChangesAsync());
        Assert.Equal(before + 1, await context.ReadVersionAsync());
    }

    [Fact]
    public async Task An_iam_change_is_heard_of_elsewhere_once_it_is_committed_also_after_the_session_was_lost()
    {
        await using var store = await PostgresUnderTest.OpenAsync();
        await using var elsewhere = PostgresUnderTest.Build(store.Server, store.Database);
        var heard = new SemaphoreSlim(0);
        elsewhere.GetRequiredService<IamChanges>().Happened += () => heard.Release();
        var listener = elsewhere.GetServices<Microsoft.Extensions.Hosting.IHostedService>().OfType<IamListener>().Single();
        await listener.StartAsync(default);
        await HeardAsync();

        await ChangeAsync("acme");
        await HeardAsync();
        Assert.Equal(0, heard.CurrentCount);

        await store.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()");
        await HeardAsync();
        await ChangeAsync("globex");
        await HeardAsync();
        await listener.StopAsync(default);

        async Task ChangeAsync(string tenant)
        {
            await using var context = await store.Services.GetRequiredService<IDbContextFactory<GatewayDbContext>>().CreateDbContextAsync();
            context.Tenants.Add(new Tenant { Name = tenant, CreatedAt = DateTimeOffset.UnixEpoch });
            await context.SaveIamChangesAsync();
        }

        async Task HeardAsync() => Assert.True(await heard.WaitAsync(TimeSpan.FromSeconds(60)), "nothing was heard");
    }

    private static async Task<string> RefusalAsync(string connection)
    {
        await using var services = new ServiceCollection()
            .AddPostgresStorage(new PostgresStorageOptions { Connection = connection, InstanceId = Ids.New(TimeProvider.System) }).BuildServiceProvider();
        var refusal = await Assert.ThrowsAsync<StorageException>(async () => await services.GetRequiredService<StorageMigrator>().MigrateAsync());
        return refusal.Message;
    }
}
