using System.Buffers.Binary;
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

    private const string Columns = "r.record_id, r.chain, r.sequence, r.tenant, r.project, r.kind, r.recorded_at, r.body, r.hash";

    private const string WithPrevious =
        $"SELECT {Columns}, p.hash FROM audit_records r LEFT JOIN audit_records p ON p.chain = r.chain AND p.sequence = r.sequence - 1";

    /// <summary>What the ledger has of the same request, beside.</summary>
    private const string WithLedger =
        $"""
        SELECT {Columns}, NULL, s.request_id IS NOT NULL, s.outcome, s.evidence, s.input_uncached, s.cache_read, s.cache_write, s.output, s.reasoning, s.cost_nano_usd
        FROM audit_records r LEFT JOIN settlements s ON s.request_id = r.record_id
        """;

    public async Task<AuditRecord?> FindAsync(Guid id, string? tenant, CancellationToken cancel)
    {
        var found = await ReadAsync(tenant, $"{WithPrevious} WHERE r.record_id = $1 AND ($2 = '' OR r.tenant = $2)", [store.Values.Of(id), tenant ?? ""], Record, cancel);
        return found.Count == 0 ? null : found[0];
    }

    public async Task<IReadOnlyList<AuditRecord>> PageAsync(AuditFilter filter, Guid? before, int limit, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        var (where, values) = Where(filter);
        Add(where, values, "r.record_id <", before);
        values.Add((long)limit);
        return await ReadAsync(filter.Tenant, string.Create(CultureInfo.InvariantCulture, $"{WithPrevious} WHERE {where} ORDER BY r.record_id DESC LIMIT ${values.Count}"), values, Record, cancel);
    }

    public async IAsyncEnumerable<AuditRecord> ReadAsync(AuditFilter filter, [EnumeratorCancellation] CancellationToken cancel)
    {
        Guid? last = null;
        while (true)
        {
            var (where, values) = Where(filter);
            Add(where, values, "r.record_id >", last);
            var page = await ReadAsync(
                filter.Tenant, string.Create(CultureInfo.InvariantCulture, $"{WithPrevious} WHERE {where} ORDER BY r.record_id LIMIT {PageSize}"), values, Record, cancel);
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
        reader => new AuditChainEnd(store.Values.Id(reader, 0), reader.GetInt64(1), (byte[])reader[2]), cancel);

    public async Task<AuditChainEnd?> EndOfAsync(Guid chain, CancellationToken cancel)
    {
        var found = await ReadAsync(
            tenant: null, "SELECT sequence, hash FROM audit_chains WHERE chain = $1", [store.Values.Of(chain)], reader => new AuditChainEnd(chain, reader.GetInt64(0), (byte[])reader[1]), cancel);
        return found.Count == 0 ? null : found[0];
    }

    /// <summary>Chains that records are in, whether or not the store says where they end.</summary>
    public async Task<IReadOnlyList<Guid>> ChainsOfRecordsAsync(CancellationToken cancel) => await ReadAsync(
        tenant: null, "SELECT DISTINCT chain FROM audit_records ORDER BY chain", [], reader => store.Values.Id(reader, 0), cancel);

    /// <summary>A chain's records in its order, each with what the ledger has of the request.</summary>
    public async IAsyncEnumerable<(AuditRecord Record, Standing? Ledger)> WalkAsync(Guid chain, [EnumeratorCancellation] CancellationToken cancel)
    {
        // Places may be missing or taken twice in a trail that was tampered with: the id goes on where the place does not.
        (long Sequence, Guid Id) last = (long.MinValue, Guid.Empty);
        while (true)
        {
            var page = await ReadAsync(
                tenant: null,
                string.Create(CultureInfo.InvariantCulture, $"{WithLedger} WHERE r.chain = $1 AND (r.sequence, r.record_id) > ($2, $3) ORDER BY r.sequence, r.record_id LIMIT {PageSize}"),
                [store.Values.Of(chain), last.Sequence, store.Values.Of(last.Id)],
                reader => (Record(reader), StandingOf(reader)), cancel);
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

    /// <summary>Requests that were settled since the trail began and are not in it.</summary>
    public async Task<IReadOnlyList<Guid>> UnrecordedAsync(int most, CancellationToken cancel) => await ReadAsync(
        tenant: null,
        """
        SELECT s.request_id FROM settlements s
        WHERE s.settled_at >= (SELECT min(recorded_at) FROM audit_records) AND NOT EXISTS (SELECT 1 FROM audit_records r WHERE r.record_id = s.request_id)
        ORDER BY s.request_id LIMIT $1
        """,
        [(long)most], reader => store.Values.Id(reader, 0), cancel);

    public async Task<byte[]?> HashAtAsync(Guid chain, long sequence, CancellationToken cancel)
    {
        var found = await ReadAsync(tenant: null, "SELECT hash FROM audit_records WHERE chain = $1 AND sequence = $2", [store.Values.Of(chain), sequence], reader => (byte[])reader[0], cancel);
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
        read, int.MaxValue, cancel);

    private (StringBuilder Text, List<object> Values) Where(AuditFilter filter)
    {
        var text = new StringBuilder("true");
        List<object> values = [];
        Add(text, values, "r.tenant =", filter.Tenant);
        Add(text, values, "r.project =", filter.Project);
        Add(text, values, "r.record_id >=", filter.From is { } from ? Bound(from) : null);
        Add(text, values, "r.record_id <", filter.Until is { } until ? Bound(until) : null);
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

    /// <summary>The lowest UUID of a moment: RFC 9562 puts its milliseconds into the first 48 bits.</summary>
    private static Guid Bound(DateTimeOffset moment)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        BinaryPrimitives.WriteInt64BigEndian(bytes, moment.ToUnixTimeMilliseconds() << 16);
        return new Guid(bytes, bigEndian: true);
    }

    private AuditRecord Record(DbDataReader reader) => new()
    {
        Id = store.Values.Id(reader, 0),
        Chain = store.Values.Id(reader, 1),
        Sequence = reader.GetInt64(2),
        Tenant = reader.GetString(3),
        Project = reader.GetString(4),
        Kind = reader.GetString(5),
        RecordedAt = store.Values.Time(reader, 6),
        Body = (byte[])reader[7],
        Hash = (byte[])reader[8],
        Previous = reader.IsDBNull(9) ? null : (byte[])reader[9],
    };

    private static Standing? StandingOf(DbDataReader reader) =>
        reader.GetBoolean(10) ? new Standing((Outcome)reader.GetInt32(11), (Evidence)reader.GetInt32(12), reader.Tokens(13), reader.GetInt64(18)) : null;
}
