using System.Data.Common;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Audit;

/// <summary>Reads the audit trail. A record's id is a UUIDv7, so the order of ids is the order in which the requests came.</summary>
internal sealed class AuditTrail(StoreReader store) : IAuditTrail
{
    private const int PageSize = 500;
    private const int LongPageSize = 5000;

    private const string Columns = "r.record_id, r.chain, r.sequence, r.tenant, r.project, r.kind, r.recorded_at, r.body, r.previous, r.hash";

    private const string All = $"SELECT {Columns} FROM audit_records r";

    /// <summary>What the ledger has of the same request, beside.</summary>
    private const string WithLedger =
        $"""
        SELECT {Columns}, s.request_id IS NOT NULL, s.outcome, s.evidence, s.input_uncached, s.cache_read, s.cache_write, s.output, s.reasoning, s.cost_nano_usd,
          s.tenant, s.project, s.key_id, s.model, s.deployment, s.provider, s.region, s.price_id
        FROM audit_records r LEFT JOIN settlements s ON s.request_id = r.record_id
        """;

    public async Task<AuditRecord?> FindAsync(Guid id, string? tenant, CancellationToken cancel)
    {
        var found = await ReadAsync(tenant, $"{All} WHERE r.record_id = $1 AND ($2 = '' OR r.tenant = $2)", [store.Values.Of(id), tenant ?? ""], Record, cancel);
        return found.Count == 0 ? null : found[0];
    }

    public async Task<IReadOnlyList<AuditRecord>> PageAsync(AuditFilter filter, Guid? before, int limit, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        var (where, values) = Where(filter);
        Add(where, values, "r.record_id <", before);
        values.Add((long)limit);
        return await ReadAsync(filter.Tenant, string.Create(CultureInfo.InvariantCulture, $"{All} WHERE {where} ORDER BY r.record_id DESC LIMIT ${values.Count}"), values, Record, cancel);
    }

    public async IAsyncEnumerable<AuditRecord> ReadAsync(AuditFilter filter, [EnumeratorCancellation] CancellationToken cancel)
    {
        Guid? last = null;
        while (true)
        {
            var (where, values) = Where(filter);
            Add(where, values, "r.record_id >", last);
            var page = await ReadAsync(
                filter.Tenant, string.Create(CultureInfo.InvariantCulture, $"{All} WHERE {where} ORDER BY r.record_id LIMIT {PageSize}"), values, Record, cancel);
            foreach (var record in page)
            {
                yield return record;
            }

            if (page.Count < PageSize)
            {
                yield break;
            }

            last = page[^1].Id;
        }
    }

    public async Task<IReadOnlyList<AuditChainEnd>> ChainsAsync(CancellationToken cancel) => await ReadAsync(
        tenant: null, "SELECT chain, sequence, hash FROM audit_chains ORDER BY chain", [],
        reader => new AuditChainEnd(store.Values.Id(reader, 0), reader.GetInt64(1), reader.GetFieldValue<byte[]>(2)), cancel);

    public async Task<AuditChainEnd?> EndOfAsync(Guid chain, CancellationToken cancel)
    {
        var found = await ReadAsync(
            tenant: null, "SELECT sequence, hash FROM audit_chains WHERE chain = $1", [store.Values.Of(chain)], reader => new AuditChainEnd(chain, reader.GetInt64(0), reader.GetFieldValue<byte[]>(1)), cancel);
        return found.Count == 0 ? null : found[0];
    }

    /// <summary>Chains that records are in though the store does not say where they end.</summary>
    public async Task<IReadOnlyList<Guid>> EndlessChainsAsync(CancellationToken cancel) => await ReadAsync(
        tenant: null, "SELECT DISTINCT r.chain FROM audit_records r WHERE NOT EXISTS (SELECT 1 FROM audit_chains c WHERE c.chain = r.chain) ORDER BY r.chain", [],
        reader => store.Values.Id(reader, 0), cancel);

    /// <summary>A chain's records in its order, each with what the ledger has of the request.</summary>
    public async IAsyncEnumerable<(AuditRecord Record, LedgerRow? Ledger)> WalkAsync(Guid chain, [EnumeratorCancellation] CancellationToken cancel)
    {
        // Places may be missing or taken twice in a trail that was tampered with: the id goes on where the place does not.
        (long Sequence, Guid Id) last = (long.MinValue, Guid.Empty);
        while (true)
        {
            var page = await ReadAsync(
                tenant: null,
                string.Create(CultureInfo.InvariantCulture, $"{WithLedger} WHERE r.chain = $1 AND (r.sequence, r.record_id) > ($2, $3) ORDER BY r.sequence, r.record_id LIMIT {PageSize}"),
                [store.Values.Of(chain), last.Sequence, store.Values.Of(last.Id)],
                reader => (Record(reader), LedgerOf(reader)), cancel);
            foreach (var (record, ledger) in page)
            {
                last = (record.Sequence, record.Id);
                yield return (record, ledger);
            }

            if (page.Count < PageSize)
            {
                yield break;
            }
        }
    }

    /// <summary>Requests that were settled since then and are not in the trail.</summary>
    public async IAsyncEnumerable<Guid> UnrecordedAsync(DateTimeOffset since, [EnumeratorCancellation] CancellationToken cancel)
    {
        var last = Guid.Empty;
        while (true)
        {
            var page = await ReadAsync(
                tenant: null,
                string.Create(CultureInfo.InvariantCulture, $"""
                SELECT s.request_id, r.record_id IS NULL AND s.settled_at >= $2
                FROM (SELECT request_id, settled_at FROM settlements WHERE request_id > $1 ORDER BY request_id LIMIT {LongPageSize}) AS s
                LEFT JOIN audit_records r ON r.record_id = s.request_id ORDER BY s.request_id
                """),
                [store.Values.Of(last), store.Values.Of(since)], reader => (Id: store.Values.Id(reader, 0), IsMissing: reader.GetBoolean(1)), cancel);
            foreach (var one in page.Where(one => one.IsMissing))
            {
                yield return one.Id;
            }

            if (page.Count < LongPageSize)
            {
                yield break;
            }

            last = page[^1].Id;
        }
    }

    /// <summary>What the ledger has of an adjustment: differences.</summary>
    public async Task<(TokenUsage Tokens, long CostNanoUsd)?> AdjustmentOfAsync(Guid request, CancellationToken cancel)
    {
        var found = await ReadAsync(
            tenant: null, "SELECT input_uncached, cache_read, cache_write, output, reasoning, cost_nano_usd FROM adjustments WHERE request_id = $1", [store.Values.Of(request)],
            reader => (reader.Tokens(0), reader.GetInt64(5)), cancel);
        return found.Count == 0 ? null : found[0];
    }

    public async Task<byte[]?> HashAtAsync(Guid chain, long sequence, CancellationToken cancel)
    {
        var found = await ReadAsync(tenant: null, "SELECT hash FROM audit_records WHERE chain = $1 AND sequence = $2", [store.Values.Of(chain), sequence], reader => reader.GetFieldValue<byte[]>(0), cancel);
        return found.Count == 0 ? null : found[0];
    }

    private Task<List<T>> ReadAsync<T>(string? tenant, string sql, List<object> values, Func<DbDataReader, T> read, CancellationToken cancel) => store.ReadAsync(
        tenant,
        command =>
        {
            for (var index = 0; index < values.Count; index++)
            {
                command.Parameters.Add(store.Values.Parameter(string.Create(CultureInfo.InvariantCulture, $"${index + 1}"), values[index]));
            }

            return sql;
        },
        read, int.MaxValue, cancel, patient: tenant is null);

    private (StringBuilder Text, List<object> Values) Where(AuditFilter filter)
    {
        var text = new StringBuilder("true");
        List<object> values = [];
        Add(text, values, "r.tenant =", filter.Tenant);
        Add(text, values, "r.project =", filter.Project);
        Add(text, values, "r.record_id >=", filter.From is { } from ? Ids.LowestAt(from) : null);
        Add(text, values, "r.record_id <", filter.Until is { } until ? Ids.LowestAt(until) : null);
        return (text, values);
    }

    private void Add(StringBuilder text, List<object> values, string condition, object? value)
    {
        if (value is not null)
        {
            values.Add(value is Guid id ? store.Values.Of(id) : value);
            text.Append(CultureInfo.InvariantCulture, $" AND {condition} ${values.Count}");
        }
    }

    private AuditRecord Record(DbDataReader reader) => new()
    {
        Id = store.Values.Id(reader, 0),
        Chain = store.Values.Id(reader, 1),
        Sequence = reader.GetInt64(2),
        Tenant = reader.GetString(3),
        Project = reader.GetString(4),
        Kind = reader.GetString(5),
        RecordedAt = TimeOf(reader),
        Body = reader.GetFieldValue<byte[]>(7),
        Previous = reader.GetFieldValue<byte[]>(8),
        Hash = reader.GetFieldValue<byte[]>(9),
    };

    /// <summary>Somebody may have written what is no time; that is for the verifier to find, and for nobody to fall over.</summary>
    private DateTimeOffset TimeOf(DbDataReader reader)
    {
        try
        {
            return store.Values.Time(reader, 6);
        }
        catch (Exception notATime) when (notATime is ArgumentOutOfRangeException or InvalidCastException or OverflowException)
        {
            return DateTimeOffset.MinValue;
        }
    }

    private static LedgerRow? LedgerOf(DbDataReader reader) => reader.GetBoolean(10)
        ? new LedgerRow(
            new Standing((Outcome)reader.GetInt32(11), (Evidence)reader.GetInt32(12), reader.Tokens(13), reader.GetInt64(18)),
            [reader.GetString(19), reader.GetString(20), reader.GetString(21), reader.GetString(22), reader.GetString(23), reader.GetString(24), reader.TextOrNull(25), reader.GetString(26)])
        : null;
}
