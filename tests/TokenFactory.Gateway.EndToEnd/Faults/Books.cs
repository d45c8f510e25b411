using System.Data.Common;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using TokenFactory.Storage;
using TokenFactory.Storage.Audit;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Postgres;
using TokenFactory.Storage.Sqlite;

namespace TokenFactory.Gateway.EndToEnd.Faults;

/// <summary>One line of the file sink.</summary>
internal sealed record UsageEvent(Guid Id, string Line, TokenUsage Tokens, string Outcome, long CostNanoUsd);

/// <summary>The gateway's half of the books, read beside it or after its death: the store and the file sink.</summary>
/// <param name="postgres">The connection of the store; null is the file in the data directory.</param>
internal sealed class Books(string dataPath, string? postgres = null)
{
    public string EventsPath => System.IO.Path.Combine(dataPath, "events.jsonl");

    public Task<IReadOnlyList<Guid>> AdmissionsAsync() => IdsAsync("SELECT request_id FROM admissions");

    /// <summary>As often as it stands there: a request that was settled twice is in it twice.</summary>
    public Task<IReadOnlyList<Guid>> SettlementIdsAsync() => IdsAsync("SELECT request_id FROM settlements");

    /// <summary>In the order they were written.</summary>
    public Task<IReadOnlyList<Guid>> OutboxIdsAsync() => IdsAsync("SELECT event_id FROM outbox ORDER BY seq");

    public Task<IReadOnlyList<Guid>> DeadLetterIdsAsync() => IdsAsync("SELECT event_id FROM dead_letters");

    public Task<IReadOnlyList<Guid>> OpenAsync() =>
        IdsAsync("SELECT request_id FROM admissions a WHERE NOT EXISTS (SELECT 1 FROM settlements s WHERE s.request_id = a.request_id)");

    public async Task<long> CursorAsync(string sink)
    {
        await using var services = Services();
        await using var context = await services.GetRequiredService<IDbContextFactory<GatewayDbContext>>().CreateDbContextAsync();
        await context.Database.OpenConnectionAsync();
        await using var command = context.Database.GetDbConnection().CreateCommand();
        command.CommandText = "SELECT coalesce((SELECT seq FROM sink_cursors WHERE sink = @sink), 0)";
        var parameter = command.CreateParameter();
        (parameter.ParameterName, parameter.Value) = ("@sink", sink);
        command.Parameters.Add(parameter);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Holds the file as another writer would: the gateway's commits fail once they have waited long enough.</summary>
    public async Task<IAsyncDisposable> HoldAsync()
    {
        var services = Services();
        var context = await services.GetRequiredService<IDbContextFactory<GatewayDbContext>>().CreateDbContextAsync();
        await context.Database.OpenConnectionAsync();
        await context.Database.ExecuteSqlRawAsync("BEGIN IMMEDIATE");
        return new Hold(services, context);
    }

    /// <summary>Whatever in the audit trail no gateway wrote, and settlements that are not in it.</summary>
    public async Task<IReadOnlyList<AuditFinding>> AuditFindingsAsync()
    {
        await using var services = Services();
        return (await services.GetRequiredService<AuditVerifier>().VerifyAsync([], null, CancellationToken.None)).Findings;
    }

    /// <summary>What somebody with the database's password might do.</summary>
    /// <returns>How many rows it changed.</returns>
    public async Task<int> TamperAsync(FormattableString sql)
    {
        await using var services = Services();
        await using var context = await services.GetRequiredService<IDbContextFactory<GatewayDbContext>>().CreateDbContextAsync();
        return await context.Database.ExecuteSqlAsync(sql);
    }

    /// <summary>Through the ledger's own pages.</summary>
    public async Task<IReadOnlyDictionary<Guid, UsageRecord>> SettlementsAsync()
    {
        await using var services = Services();
        var ledger = services.GetRequiredService<IUsageLedger>();
        List<UsageRecord> records = [];
        string? cursor = null;
        do
        {
            var page = await ledger.PageAsync(new UsageFilter { Tenant = null }, cursor, 1000, CancellationToken.None);
            records.AddRange(page.Records);
            cursor = page.Next;
        }
        while (cursor is not null);
        return records.ToDictionary(record => record.RequestId);
    }

    /// <summary>Every line, duplicates included; a torn last line is a failure.</summary>
    public IReadOnlyList<UsageEvent> Events()
    {
        if (!File.Exists(EventsPath))
        {
            return [];
        }

        var text = File.ReadAllText(EventsPath);
        return text.Length > 0 && text[^1] != '\n'
            ? throw new InvalidDataException($"{EventsPath} ends in half a line")
            : [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Parse)];
    }

    public static UsageEvent Parse(string line)
    {
        using var document = JsonDocument.Parse(line);
        var data = document.RootElement.GetProperty("data");
        var tokens = data.GetProperty("tokens");
        return new UsageEvent(
            document.RootElement.GetProperty("id").GetGuid(),
            line,
            new TokenUsage(Of("input_uncached"), Of("cache_read"), Of("cache_write"), Of("output"), Of("reasoning")),
            data.GetProperty("outcome").GetString()!,
            data.GetProperty("cost_nano_usd").GetInt64());

        long Of(string name) => tokens.GetProperty(name).GetInt64();
    }

    private async Task<IReadOnlyList<Guid>> IdsAsync(string sql)
    {
        await using var services = Services();
        await using var context = await services.GetRequiredService<IDbContextFactory<GatewayDbContext>>().CreateDbContextAsync();
        await context.Database.OpenConnectionAsync();
        await using var command = context.Database.GetDbConnection().CreateCommand();
        command.CommandText = sql;
        await using DbDataReader reader = await command.ExecuteReaderAsync();
        List<Guid> ids = [];
        while (await reader.ReadAsync())
        {
            ids.Add(reader.GetValue(0) is Guid id ? id : new Guid(reader.GetFieldValue<byte[]>(0), bigEndian: true));
        }

        return ids;
    }

    private ServiceProvider Services() => (postgres is null
        ? new ServiceCollection().AddSqliteStorage(new SqliteStorageOptions { DataDirectory = dataPath, InstanceId = Guid.Empty })
        : new ServiceCollection().AddPostgresStorage(new PostgresStorageOptions { Connection = postgres, InstanceId = Guid.Empty }))
        .BuildServiceProvider();

    private sealed class Hold(ServiceProvider services, GatewayDbContext context) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await context.Database.ExecuteSqlRawAsync("ROLLBACK");
            await context.DisposeAsync();
            await services.DisposeAsync();
        }
    }
}
