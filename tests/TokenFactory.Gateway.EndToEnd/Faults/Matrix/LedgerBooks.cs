using System.Globalization;
using System.Text.Json;
using Npgsql;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Gateway.EndToEnd.Faults.Matrix;

/// <summary>A settlement as its row has it.</summary>
internal sealed record SettledRow(Guid Id, string Project, Outcome Outcome, Evidence Evidence, string? Error, TokenUsage Tokens);

/// <summary>An event of the outbox, in the order of delivery.</summary>
/// <param name="Adjusts">The event it corrects; null on a settlement's own.</param>
internal sealed record EventRow(Guid Id, Guid RequestId, Guid? Adjusts, TokenUsage Tokens, string Data);

/// <summary>What the database and Redis have of one round, read past the replicas.</summary>
internal sealed class LedgerBooks(FaultSite site, Book book)
{
    private const string HeldScript =
        """
        local held = {}
        for _, key in ipairs(redis.call('KEYS', 'tfg:{acme}:r:*')) do
          local value = redis.call('GET', key)
          for _, part in ipairs(value == 'given back' and {} or cmsgpack.unpack(value).held) do
            if part[2] == KEYS[1] then held[#held + 1] = string.sub(key, -32) .. '=' .. string.format('%.0f', part[3] * 1e9 + part[4]) end
          end
        end
        return table.concat(held, ',')
        """;

    public Task<List<Guid>> AdmissionsAsync() =>
        ReadAsync("SELECT request_id FROM admissions WHERE project = ANY($1)", row => row.GetGuid(0));

    public Task<List<Guid>> OpenAsync() => ReadAsync(
        "SELECT request_id FROM admissions a WHERE project = ANY($1) AND NOT EXISTS (SELECT 1 FROM settlements s WHERE s.request_id = a.request_id)", row => row.GetGuid(0));

    public Task<List<Guid>> CheckpointsOfSettledAsync() => ReadAsync(
        "SELECT c.request_id FROM checkpoints c JOIN settlements s USING (request_id) WHERE s.project = ANY($1)", row => row.GetGuid(0));

    public Task<List<SettledRow>> SettlementsAsync() => ReadAsync(
        "SELECT request_id, project, outcome, evidence, error, input_uncached, cache_read, cache_write, output, reasoning FROM settlements WHERE project = ANY($1)",
        row => new SettledRow(
            row.GetGuid(0), row.GetString(1), (Outcome)row.GetInt32(2), (Evidence)row.GetInt32(3), row.IsDBNull(4) ? null : row.GetString(4),
            new TokenUsage(row.GetInt64(5), row.GetInt64(6), row.GetInt64(7), row.GetInt64(8), row.GetInt64(9))));

    /// <summary>In the order of the outbox, as their audit records tell them.</summary>
    public Task<List<EventRow>> EventsAsync() => ReadAsync(
        "SELECT convert_from(r.body, 'UTF8') FROM outbox o JOIN audit_records r ON r.record_id = o.event_id WHERE o.body IS NULL AND r.project = ANY($1) ORDER BY o.xid, o.seq",
        row => Parse(row.GetString(0)));

    /// <summary>Events of transactions that began after this one.</summary>
    public async Task<List<Guid>> EventsAfterAsync(ulong transaction) =>
        await ReadAsync($"SELECT o.event_id FROM outbox o JOIN audit_records r ON r.record_id = o.event_id WHERE r.project = ANY($1) AND o.xid > '{transaction}'::xid8", row => row.GetGuid(0));

    public Task<List<Guid>> DeadLettersAsync() => ReadAsync(
        "SELECT event_id FROM dead_letters WHERE convert_from(body, 'UTF8')::jsonb #>> '{data,project}' = ANY($1)", row => row.GetGuid(0));

    /// <summary>What a budget's counter in Redis stands at, holds included; null while Redis does not know the budget.</summary>
    public async Task<long?> LevelAsync(string project)
    {
        var value = await site.Redis.SendAsync("GET", CounterOf(project));
        var parts = value.Split(' ');
        return parts.Length == 4 ? (long.Parse(parts[2], CultureInfo.InvariantCulture) * 1_000_000_000) + long.Parse(parts[3], CultureInfo.InvariantCulture) : null;
    }

    public async Task<IReadOnlyList<string>> AuditFindingsAsync() => [.. (await new Books("", site.Connection).AuditFindingsAsync()).Select(finding => finding.ToString())];

    /// <summary>Reservations that nobody has settled, and what each holds of a budget.</summary>
    public async Task<Dictionary<Guid, long>> HeldAsync(string project)
    {
        var answer = await site.Redis.SendAsync("EVAL", HeldScript, "1", CounterOf(project));
        return answer.Split(',', StringSplitOptions.RemoveEmptyEntries)
            .Select(one => one.Split('='))
            .ToDictionary(one => Guid.ParseExact(one[0], "N"), one => long.Parse(one[1], CultureInfo.InvariantCulture));
    }

    private static string CounterOf(string project) => $"tfg:{{acme}}:T:project:{project}";

    private static EventRow Parse(string body)
    {
        using var document = JsonDocument.Parse(body);
        var data = document.RootElement.GetProperty("data");
        var tokens = data.GetProperty("tokens");
        return new EventRow(
            document.RootElement.GetProperty("id").GetGuid(),
            data.GetProperty("request_id").GetGuid(),
            data.TryGetProperty("adjusts", out var adjusts) ? adjusts.GetGuid() : null,
            new TokenUsage(Of("input_uncached"), Of("cache_read"), Of("cache_write"), Of("output"), Of("reasoning")),
            data.GetRawText());

        long Of(string name) => tokens.GetProperty(name).GetInt64();
    }

    private async Task<List<T>> ReadAsync<T>(string sql, Func<NpgsqlDataReader, T> read)
    {
        await using var connection = new NpgsqlConnection(site.Connection);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = book.Projects } } };
        await using var reader = await command.ExecuteReaderAsync();
        List<T> rows = [];
        while (await reader.ReadAsync())
        {
            rows.Add(read(reader));
        }

        return rows;
    }
}
