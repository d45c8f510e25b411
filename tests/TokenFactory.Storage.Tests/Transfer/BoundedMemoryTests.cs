using Microsoft.Extensions.DependencyInjection;
using TokenFactory.Storage.Tests.Postgres;
using TokenFactory.Storage.Tests.Sqlite;
using TokenFactory.TestKit.Servers;
using Xunit;

namespace TokenFactory.Storage.Tests.Transfer;

/// <summary>Alone, because memory is the whole process'.</summary>
[CollectionDefinition(nameof(AloneInTheProcess), DisableParallelization = true)]
public sealed class AloneInTheProcess;

/// <summary>What a transfer holds does not grow with what it moves.</summary>
[Collection(nameof(AloneInTheProcess))]
public sealed class BoundedMemoryTests
{
    private const int Rows = 30_000;

    /// <summary>More than a few rows and the streams' buffers, far less than the table's 12 MB as a file has it.</summary>
    private const long Allowed = 6 << 20;

    [Fact]
    public async Task P10_An_export_and_an_import_hold_a_row_and_not_a_table()
    {
        await using var store = await SqliteUnderTest.OpenAsync();
        await store.ExecuteAsync(
            $"""
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {Rows})
            INSERT INTO outbox (event_id, type, body, created_at) SELECT CAST(x'0193111111117111' || randomblob(8) AS BLOB), 'tokenfactory.usage.v1', randomblob(300), i FROM n
            """);
        var server = await PostgresServer.SharedAsync();
        await using var other = PostgresUnderTest.Build(server, await server.NewDatabaseAsync());
        using var home = new TemporaryDirectory();
        var path = home.File("file");

        long most = 0;
        long begin = 0;
        await using (var file = File.Create(path))
        {
            await store.Transfer().ExportAsync(file, "1", Moved.NoPeppers, Watch);
        }

        await using (var file = File.OpenRead(path))
        {
            await other.GetRequiredService<Storage.Transfer.StorageTransfer>().ImportAsync(file, static _ => null, Watch);
        }

        Assert.True(new FileInfo(path).Length > Allowed, "the file is too small to prove anything");
        Assert.True(most < Allowed, $"{most} bytes more were alive than at the table's beginning");

        void Watch(Storage.Transfer.TransferProgress progress)
        {
            if (progress.Table != "outbox")
            {
                return;
            }

            // What is alive, not what was allocated: garbage of earlier rows costs nothing for long.
            var alive = GC.GetTotalMemory(forceFullCollection: progress.Rows % 8192 == 0 || progress.IsTableDone);
            if (progress.Rows == 8192)
            {
                begin = alive;
            }
            else if (progress.Rows % 8192 == 0 || progress.IsTableDone)
            {
                most = Math.Max(most, alive - begin);
            }
        }
    }
}
