using Npgsql;
using TokenFactory.TestKit.Servers;
using Xunit;

namespace TokenFactory.TestKit.Tests;

public sealed class TcpProxyTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_loses_the_reply_to_a_statement_that_was_carried_out_prepared_or_not(bool prepared)
    {
        var postgres = await PostgresServer.SharedAsync();
        var database = await postgres.NewDatabaseAsync();
        await postgres.ExecuteAsync(database, "CREATE TABLE marks (mark int NOT NULL)");
        await using var proxy = TcpProxy.Start(postgres.Port, speaksPostgres: true);
        var through = new NpgsqlConnectionStringBuilder(postgres.ConnectionString(database)) { Port = proxy.Port, Pooling = false };
        await using var connection = new NpgsqlConnection(through.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var insert = new NpgsqlCommand("INSERT INTO marks VALUES ($1)", connection) { Parameters = { new() { Value = 1 } } };
        if (prepared)
        {
            await insert.PrepareAsync(TestContext.Current.CancellationToken);
        }

        await insert.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        var lost = proxy.LoseReplyTo("INSERT INTO marks");
        await using (var other = new NpgsqlCommand("SELECT count(*) FROM marks", connection))
        {
            Assert.Equal(1L, await other.ExecuteScalarAsync(TestContext.Current.CancellationToken));
        }

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => insert.ExecuteNonQueryAsync(TestContext.Current.CancellationToken));
        await lost.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        await using var direct = new NpgsqlConnection(postgres.ConnectionString(database));
        await direct.OpenAsync(TestContext.Current.CancellationToken);
        await using var count = new NpgsqlCommand("SELECT count(*) FROM marks", direct);
        Assert.Equal(2L, await count.ExecuteScalarAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_forgotten_connection_is_silent_for_good_and_a_new_one_is_served()
    {
        var postgres = await PostgresServer.SharedAsync();
        await using var proxy = TcpProxy.Start(postgres.Port, speaksPostgres: true);
        var through = new NpgsqlConnectionStringBuilder(postgres.ConnectionString(await postgres.NewDatabaseAsync())) { Port = proxy.Port, Pooling = false, CommandTimeout = 1, CancellationTimeout = -1 };
        await using var connection = new NpgsqlConnection(through.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using (var before = new NpgsqlCommand("SELECT 1", connection))
        {
            Assert.Equal(1, await before.ExecuteScalarAsync(TestContext.Current.CancellationToken));
        }

        proxy.Forget();
        proxy.Heal();

        await using var unheard = new NpgsqlCommand("SELECT 1", connection);
        var failure = await Assert.ThrowsAnyAsync<NpgsqlException>(() => unheard.ExecuteScalarAsync(TestContext.Current.CancellationToken));
        Assert.IsType<TimeoutException>(failure.InnerException);
        await using var next = new NpgsqlConnection(through.ConnectionString);
        await next.OpenAsync(TestContext.Current.CancellationToken);
        await using var heard = new NpgsqlCommand("SELECT 1", next);
        Assert.Equal(1, await heard.ExecuteScalarAsync(TestContext.Current.CancellationToken));
    }
}
