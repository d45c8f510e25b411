using System.Data.Common;
using System.Text;
using TokenFactory.Storage.Audit;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Requests;

/// <summary>
/// Reads requests in one SQL that both databases speak. What has ended is in the settlements' own order. What runs is either young, and so
/// among the newest admissions, or has been noted (its process notes every request that runs for some seconds): so the cost of a look
/// is what runs and what came lately, and never all that was ever admitted.
/// </summary>
internal sealed class RequestHistory(StoreReader store, TimeProvider clock) : IRequestHistory
{
    /// <summary>Several times what a process takes to note a request, and room for clocks that differ.</summary>
    private static readonly TimeSpan _young = TimeSpan.FromSeconds(30);

    private const string EndedColumns =
        """
        s.request_id, s.tenant, s.project, s.user_id, s.key_id, s.tier, s.use_case, s.operation, s.stream, s.model, s.deployment, s.provider, s.region,
        s.upstream_model, s.upstream_version, s.price_id, coalesce(a.deployment, s.deployment), s.policy_decision_id, a.policy, s.accepted_at, s.outcome, s.error,
        s.settled_at, s.time_to_first_token_us, s.duration_us, s.attempts, s.evidence, s.input_uncached + coalesce(d.input_uncached, 0),
        s.cache_read + coalesce(d.cache_read, 0), s.cache_write + coalesce(d.cache_write, 0), s.output + coalesce(d.output, 0),
        s.reasoning + coalesce(d.reasoning, 0), s.cost_nano_usd + coalesce(d.cost_nano_usd, 0), d.request_id IS NOT NULL
        """;

    private const string EndedJoins =
        " AS s LEFT JOIN admissions a ON a.request_id = s.request_id LEFT JOIN adjustments d ON d.request_id = s.request_id";

    private const string OpenJoins =
        " AS a LEFT JOIN checkpoints c ON c.request_id = a.request_id LEFT JOIN cancellations x ON x.request_id = a.request_id";

    private const string IsOpen = "NOT EXISTS (SELECT 1 FROM settlements s WHERE s.request_id = admissions.request_id)";

    /// <summary>The one after those of every open admission.</summary>
    private const int CancelColumn = OpenAdmissionColumns.Count;

    private readonly StoredValues _values = store.Values;

    public async Task<RequestPage> PageAsync(UsageFilter filter, RequestStates states, string? cursor, int limit, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        var after = cursor is null ? (UsageCursor?)null : UsageCursor.Parse(cursor);

        // What runs comes first: a request that ends between the two looks is then found by both, and not by neither.
        var open = states == RequestStates.Ended || filter.Outcome is not null ? [] : await OpenAsync(filter, after, limit + 1, cancel);
        var ended = states == RequestStates.Running ? [] : await EndedAsync(filter, after, limit + 1, cancel);
        var records = ended.Concat(open.ExceptBy(ended.Select(static one => one.RequestId), static one => one.RequestId))
            .OrderByDescending(static one => one.AcceptedAt).ThenByDescending(static one => one.RequestId.ToString("N"), StringComparer.Ordinal)
            .Take(limit + 1).ToList();

        // One more than asked for tells whether there is a next page.
        return records.Count > limit
            ? new RequestPage(records[..limit], new UsageCursor(Micros.Of(records[limit - 1].AcceptedAt), records[limit - 1].RequestId).ToString())
            : new RequestPage(records, null);
    }

    public async Task<RequestRecord?> FindAsync(Guid id, string? tenant, string? project, CancellationToken cancel)
    {
        var found = await FindOpenAsync(id, tenant, project, cancel) ?? await FindEndedAsync(id, tenant, project, cancel);
        return found?.Outcome is null ? found : found with { Attempts = await AttemptsAsync(id, tenant, cancel) };
    }

    private Task<List<RequestRecord>> OpenAsync(UsageFilter filter, UsageCursor? after, int most, CancellationToken cancel) => store.ReadAsync(
        filter.Tenant,
        command =>
        {
            var clause = new FilterClause(command, _values, filter);
            var where = Where(clause, filter, after);
            var young = clause.Parameter(_values.Of(Ids.LowestAt(clock.GetUtcNow() - _young)));
            return $"""
                SELECT {OpenAdmissionColumns.All}, x.requested_at
                FROM (SELECT * FROM admissions WHERE {where} AND request_id IN (SELECT request_id FROM checkpoints) AND {IsOpen}
                      UNION ALL
                      SELECT * FROM admissions WHERE {where} AND request_id >= {young}
                        AND NOT EXISTS (SELECT 1 FROM checkpoints n WHERE n.request_id = admissions.request_id)
                        AND NOT EXISTS (SELECT 1 FROM settlements s WHERE s.request_id = admissions.request_id AND s.request_id >= {young})
                     ){OpenJoins}
                ORDER BY a.accepted_at DESC, a.request_id DESC LIMIT {clause.Parameter((long)most)}
                """;
        },
        Open, most, cancel);

    private Task<List<RequestRecord>> EndedAsync(UsageFilter filter, UsageCursor? after, int most, CancellationToken cancel) => store.ReadAsync(
        filter.Tenant,
        command =>
        {
            var clause = new FilterClause(command, _values, filter);
            var where = Where(clause, filter, after);
            return $"""
                SELECT {EndedColumns}
                FROM (SELECT * FROM settlements WHERE {where} ORDER BY accepted_at DESC, request_id DESC LIMIT {clause.Parameter((long)most)}){EndedJoins}
                ORDER BY s.accepted_at DESC, s.request_id DESC
                """;
        },
        Ended, most, cancel);

    private async Task<RequestRecord?> FindOpenAsync(Guid id, string? tenant, string? project, CancellationToken cancel) => (await store.ReadAsync(
        tenant,
        command => $"""
            SELECT {OpenAdmissionColumns.All}, x.requested_at
            FROM (SELECT * FROM admissions WHERE {One(command, id, tenant, project)} AND {IsOpen}){OpenJoins}
            """,
        Open, 1, cancel)).FirstOrDefault();

    private async Task<RequestRecord?> FindEndedAsync(Guid id, string? tenant, string? project, CancellationToken cancel) => (await store.ReadAsync(
        tenant, command => $"SELECT {EndedColumns} FROM (SELECT * FROM settlements WHERE {One(command, id, tenant, project)}){EndedJoins}", Ended, 1, cancel)).FirstOrDefault();

    /// <summary>As its audit record tells them.</summary>
    private async Task<IReadOnlyList<Attempt>> AttemptsAsync(Guid id, string? tenant, CancellationToken cancel) => (await store.ReadAsync(
        tenant,
        command =>
        {
            command.Parameters.Add(_values.Parameter("$1", _values.Of(id)));
            return "SELECT body FROM audit_records WHERE record_id = $1";
        },
        static reader => RecordedAttempts.Read(reader.GetFieldValue<byte[]>(0)),
        1, cancel)).FirstOrDefault() ?? [];

    private string One(DbCommand command, Guid id, string? tenant, string? project)
    {
        command.Parameters.Add(_values.Parameter("$1", _values.Of(id)));
        command.Parameters.Add(_values.Parameter("$2", tenant ?? ""));
        command.Parameters.Add(_values.Parameter("$3", project ?? ""));
        return "request_id = $1 AND ($2 = '' OR tenant = $2) AND ($3 = '' OR project = $3)";
    }

    private string Where(FilterClause clause, UsageFilter filter, UsageCursor? after)
    {
        var where = new StringBuilder(clause.Times((filter.From, after is { } last ? last.Until(filter.Until) : filter.Until)));
        if (after is { } place)
        {
            where.Append(" AND (accepted_at, request_id) < (").Append(clause.Parameter(_values.Of(place.AcceptedAt)))
                .Append(", ").Append(clause.Parameter(_values.Of(place.RequestId))).Append(')');
        }

        return where.ToString();
    }

    private RequestRecord Open(DbDataReader reader)
    {
        var open = OpenAdmissionColumns.Read(reader, _values, row: 0);
        var (admission, known) = (open.Admission, open.Checkpoint);
        var placement = known?.Placement ?? admission.Placement;
        return new RequestRecord
        {
            RequestId = admission.RequestId,
            Tenant = admission.Tenant,
            Project = admission.Project,
            User = admission.User,
            KeyId = admission.KeyId,
            Tier = admission.Tier,
            UseCase = admission.UseCase,
            Operation = admission.Operation,
            Stream = admission.Stream,
            Model = admission.Model,
            Deployment = placement.Deployment,
            Provider = placement.Provider,
            Region = placement.Region,
            UpstreamModel = placement.UpstreamModel,
            UpstreamVersion = placement.UpstreamVersion,
            PriceId = placement.Price.Id,
            FirstDeployment = admission.Placement.Deployment,
            PolicyDecisionId = admission.PolicyDecisionId,
            Policy = admission.Policy,
            AcceptedAt = admission.AcceptedAt,
            CancelRequestedAt = reader.IsDBNull(CancelColumn) ? null : _values.Time(reader, CancelColumn),
            Evidence = known?.Evidence,
            Tokens = known?.Tokens ?? TokenUsage.Zero,
            CostNanoUsd = known is null ? 0 : placement.Price.CostNanoUsd(known.Tokens),
            NotedAt = open.NotedAt,
        };
    }

    private RequestRecord Ended(DbDataReader reader) => new()
    {
        RequestId = _values.Id(reader, 0),
        Tenant = reader.GetString(1),
        Project = reader.GetString(2),
        User = reader.TextOrNull(3),
        KeyId = reader.GetString(4),
        Tier = reader.TextOrNull(5),
        UseCase = reader.TextOrNull(6),
        Operation = reader.GetString(7),
        Stream = reader.GetBoolean(8),
        Model = reader.GetString(9),
        Deployment = reader.GetString(10),
        Provider = reader.GetString(11),
        Region = reader.TextOrNull(12),
        UpstreamModel = reader.GetString(13),
        UpstreamVersion = reader.TextOrNull(14),
        PriceId = reader.GetString(15),
        FirstDeployment = reader.GetString(16),
        PolicyDecisionId = reader.TextOrNull(17),
        Policy = reader.TextOrNull(18),
        AcceptedAt = _values.Time(reader, 19),
        Outcome = (Outcome)reader.GetInt32(20),
        Error = reader.TextOrNull(21),
        SettledAt = _values.Time(reader, 22),
        TimeToFirstTokenMs = reader.IsDBNull(23) ? null : reader.GetInt64(23) / 1000.0,
        DurationMs = reader.GetInt64(24) / 1000.0,
        AttemptsMade = reader.GetInt32(25),
        Evidence = (Evidence)reader.GetInt32(26),
        Tokens = reader.Tokens(27),
        CostNanoUsd = reader.GetInt64(32),
        Adjusted = reader.GetBoolean(33),
    };
}
