using System.IO.Compression;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using TokenFactory.Storage.Sqlite;
using TokenFactory.Storage.Tests.Postgres;
using TokenFactory.Storage.Tests.Sqlite;
using TokenFactory.TestKit.Servers;
using Xunit;

namespace TokenFactory.Storage.Tests.Transfer;

/// <summary>What must not be imported is refused by name, and leaves the store as empty as it was: the whole file goes in afterwards.</summary>
public sealed class RefusedImportTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _home = new();
    private byte[] _file = [];

    public async ValueTask InitializeAsync()
    {
        await using var store = await SqliteUnderTest.OpenAsync();
        await Moved.FillAsync(store);
        (_file, _) = await store.Services.ExportAsync();
    }

    public ValueTask DisposeAsync()
    {
        _home.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(400)]
    [InlineData(-12)]
    [InlineData(-400)]
    public async Task P2_A_file_that_was_cut_short_leaves_nothing(int at)
    {
        var cut = _file[..(at >= 0 ? at : _file.Length + at)];

        var message = await RefusalAsync(cut);

        Assert.True(message.Contains("damaged", StringComparison.Ordinal), message);
        await AssertUntouchedAsync();
    }

    [Fact]
    public async Task P2_A_flipped_bit_anywhere_leaves_nothing()
    {
        await using var services = SqliteUnderTest.Build(_home.Path);
        var random = new Random(7);
        for (var round = 0; round < 40; round++)
        {
            // The first ten bytes are the compression's own header, whose time and system say nothing.
            var at = round < 8 ? _file.Length - 1 - round : random.Next(10, _file.Length);
            var flipped = _file.ToArray();
            flipped[at] ^= (byte)(1 << random.Next(8));

            // What it looks like depends on where it was: a broken stream, another schema, other contents.
            await Assert.ThrowsAsync<StorageException>(() => services.ImportAsync(flipped));
        }

        await AssertUntouchedAsync();
    }

    /// <summary>The compression's own checksum would find it too; whoever edits a file makes a new one.</summary>
    [Theory]
    [InlineData("\"acme\"", "\"acmf\"", "damaged")]
    [InlineData("\"rows\":", "\"rows\":1", "damaged")]
    [InlineData("\"exported_at\":\"2", "\"exported_at\":\"3", "damaged")]
    [InlineData("[0,true,", "[0,true,\"more\",", "no row of tenants")]
    [InlineData("\"version\":1,", "\"version\":2,", "format 2, written by gateway 1.0.0")]
    [InlineData("\"tokenfactory-transfer\"", "\"something-else\"", "no file that 'gateway migrate export' wrote")]
    [InlineData("\"tier:text?\"", "\"level:text?\",\"tier:text?\"", "has [level:text?] more and lacks []")]
    [InlineData("\"tier:text?\"", "\"tier:int?\"", "has [tier:int?] more and lacks [tier:text?]")]
    [InlineData("{\"table\":\"tenants\"", "{\"table\":\"quotas\"", "next table is 'quotas' where this program expects 'tenants'")]
    public async Task P2_A_file_that_was_edited_or_is_of_another_schema_is_refused_by_name(string from, string to, string expected)
    {
        var message = await RefusalAsync(Edit(text =>
        {
            var at = text.IndexOf(from, StringComparison.Ordinal);
            Assert.True(at >= 0, from);
            return string.Concat(text.AsSpan(0, at), to, text.AsSpan(at + from.Length));
        }));

        Assert.Contains(expected, message, StringComparison.Ordinal);
        await AssertUntouchedAsync();
    }

    [Fact]
    public async Task P2_Rows_that_were_removed_or_added_in_pairs_are_noticed()
    {
        var message = await RefusalAsync(Edit(static text => text + text));
        Assert.Contains("something follows its end", message, StringComparison.Ordinal);

        // A row of every settlement, and its count with it, as who edits by hand would.
        message = await RefusalAsync(Edit(static text =>
        {
            var lines = text.Split('\n').ToList();
            var table = lines.FindIndex(line => line.StartsWith("{\"table\":\"settlements\"", StringComparison.Ordinal));
            var end = lines.FindIndex(table, line => line.StartsWith("{\"end\"", StringComparison.Ordinal));
            lines[end] = lines[end].Replace($"\"rows\":{end - table - 1}", $"\"rows\":{end - table - 2}", StringComparison.Ordinal);
            lines.RemoveAt(table + 1);
            return string.Join('\n', lines);
        }));
        Assert.Contains("settlements", message, StringComparison.Ordinal);
        await AssertUntouchedAsync();
    }

    [Fact]
    public async Task A_store_that_holds_anything_is_refused_with_the_table_and_a_remedy()
    {
        await using var sqlite = await SqliteUnderTest.OpenAsync();
        await using var postgres = await PostgresUnderTest.OpenAsync();
        await postgres.ExecuteAsync("INSERT INTO tenants (name, from_file, created_at) VALUES ('acme', false, now()), ('globex', false, now()); DELETE FROM instances; DELETE FROM audit_chains");

        var one = await Assert.ThrowsAsync<StorageException>(() => sqlite.Services.ImportAsync(_file));
        var other = await Assert.ThrowsAsync<StorageException>(() => postgres.Services.ImportAsync(_file));

        Assert.Contains("is not empty: its table instances holds 1 row.", one.Message, StringComparison.Ordinal);
        Assert.Contains("is not empty: its table tenants holds 2 rows. An import fills only an empty store: make a new database", other.Message, StringComparison.Ordinal);
        Assert.Equal(0, await sqlite.CountAsync("settlements"));
    }

    [Fact]
    public async Task A_store_of_another_schema_is_neither_read_nor_filled()
    {
        await using var newer = await PostgresUnderTest.OpenAsync();
        await newer.ExecuteAsync("DELETE FROM instances; INSERT INTO \"__EFMigrationsHistory\" VALUES ('29990101000000_Later', '99')");
        await using var older = await SqliteUnderTest.OpenAsync();
        await older.ExecuteAsync("DELETE FROM instances; DELETE FROM \"__EFMigrationsHistory\" WHERE \"MigrationId\" LIKE '%_UsageDays'");

        foreach (var (store, expected) in (IEnumerable<(StoreUnderTest, string)>)[(newer, "29990101000000_Later"), (older, "lacks migration 20261121083456_UsageDays. Run 'gateway migrate'")])
        {
            Assert.Contains(expected, (await Assert.ThrowsAsync<StorageException>(() => store.Services.ExportAsync())).Message, StringComparison.Ordinal);
            Assert.Contains(expected, (await Assert.ThrowsAsync<StorageException>(() => store.Services.ImportAsync(_file))).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_directory_without_a_store_is_not_exported_as_an_empty_one()
    {
        await using var services = SqliteUnderTest.Build(_home.Path);

        Assert.Contains("There is no", (await Assert.ThrowsAsync<StorageException>(() => services.ExportAsync())).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_home.Path));
    }

    [Fact]
    public async Task P2_A_store_that_gives_back_other_rows_than_it_was_given_keeps_none()
    {
        var server = await PostgresServer.SharedAsync();
        var database = await server.NewDatabaseAsync();
        await using var services = PostgresUnderTest.Build(server, database);
        await services.GetRequiredService<StorageMigrator>().MigrateAsync();
        await server.ExecuteAsync(
            database,
            """
            CREATE FUNCTION round_off() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.noted_at = date_trunc('second', NEW.noted_at); RETURN NEW; END $$;
            CREATE TRIGGER round_off BEFORE INSERT ON checkpoints FOR EACH ROW EXECUTE FUNCTION round_off()
            """);

        var refusal = await Assert.ThrowsAsync<StorageException>(() => services.ImportAsync(_file));
        Assert.Contains("does not give back what the file holds, so nothing was kept. Differing: checkpoints (2 of 2 rows, other contents)", refusal.Message, StringComparison.Ordinal);

        await server.ExecuteAsync(database, "DROP TRIGGER round_off ON checkpoints");
        Assert.NotEmpty(await services.ImportAsync(_file));
    }

    [Fact]
    public async Task P2_No_gateway_begins_to_serve_what_is_being_imported()
    {
        var server = await PostgresServer.SharedAsync();
        var database = await server.NewDatabaseAsync();
        await using var services = PostgresUnderTest.Build(server, database);
        List<string> refusals = [];
        using var stream = new MemoryStream(_file);

        await services.GetRequiredService<Storage.Transfer.StorageTransfer>().ImportAsync(stream, static _ => null, progress =>
        {
            if (progress is { Step: "verify", Table: "instances" })
            {
                // Its journal opens with a row of its own.
                var refusal = Assert.ThrowsAsync<StorageException>(() => PostgresUnderTest.OpenAsync(server, database)).GetAwaiter().GetResult();
                refusals.Add(refusal.Message);
            }
        });
        await using var served = await PostgresUnderTest.OpenAsync(server, database);

        Assert.NotEmpty(Assert.Single(refusals));
    }

    [Fact]
    public async Task A_directory_that_is_served_is_refused()
    {
        using var claim = FileLock.TryTake(_home.File(SqliteStartup.ClaimFile));
        await using var services = SqliteUnderTest.Build(_home.Path);

        Assert.Contains("A gateway serves the data directory", (await Assert.ThrowsAsync<StorageException>(() => services.ImportAsync(_file))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stop_in_the_middle_leaves_nothing()
    {
        await using var services = SqliteUnderTest.Build(_home.Path);
        using var stop = new CancellationTokenSource();
        using var stream = new MemoryStream(_file);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => services.GetRequiredService<Storage.Transfer.StorageTransfer>().ImportAsync(
            stream, static _ => null,
            progress =>
            {
                if (progress is { Step: "verify", Table: "audit_records" })
                {
                    stop.Cancel();
                }
            },
            stop.Token));

        await AssertUntouchedAsync();
    }

    private byte[] Edit(Func<string, string> edit)
    {
        using var plain = new GZipStream(new MemoryStream(_file), CompressionMode.Decompress);
        using var reader = new StreamReader(plain, Encoding.UTF8);
        using var edited = new MemoryStream();
        using (var compressed = new GZipStream(edited, CompressionLevel.Fastest, leaveOpen: true))
        {
            compressed.Write(Encoding.UTF8.GetBytes(edit(reader.ReadToEnd())));
        }

        return edited.ToArray();
    }

    private async Task<string> RefusalAsync(byte[] file)
    {
        await using var services = SqliteUnderTest.Build(_home.Path);
        return (await Assert.ThrowsAsync<StorageException>(() => services.ImportAsync(file))).Message;
    }

    private async Task AssertUntouchedAsync()
    {
        await using var services = SqliteUnderTest.Build(_home.Path);
        await services.GetRequiredService<StorageMigrator>().MigrateAsync();
        await using (var context = await services.GetRequiredService<IDbContextFactory<GatewayDbContext>>().CreateDbContextAsync())
        {
            Assert.Equal(1, await context.ReadVersionAsync());
        }

        Assert.NotEmpty(await services.ImportAsync(_file));
    }
}
