using System.Data.Common;
using System.Text.Json;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Outbox;

namespace TokenFactory.Storage.ModelAudit;

/// <summary>In one SQL that both databases speak. Every row has its writer in its key, so that replicas never wait for each other's.</summary>
internal sealed class ModelAuditStore(StoreReader store, OutboxSignal signal) : IModelAuditStore
{
    private const int MostRows = 200_000;

    private const string WriteSql =
        """
        INSERT INTO model_audit_periods
          (deployment, started_at, instance_id, requests, errors, refusals, first_token_ms, tokens_per_second, output_tokens, models, fingerprints)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (deployment, started_at, instance_id) DO UPDATE SET
          requests = excluded.requests, errors = excluded.errors, refusals = excluded.refusals, first_token_ms = excluded.first_token_ms,
          tokens_per_second = excluded.tokens_per_second, output_tokens = excluded.output_tokens, models = excluded.models, fingerprints = excluded.fingerprints
        """;

    private const string RaiseSql =
        """
        INSERT INTO model_audit_flags
          (flag_id, instance_id, deployment, provider, region, upstream_model, upstream_version, kind, since, detected_at, was, became)
        VALUES ($1, $2, $3, $4, nullif($5, ''), nullif($6, ''), nullif($7, ''), $8, $9, $10, $11, $12)
        ON CONFLICT (flag_id) DO NOTHING
        """;

    private const string TellSql = "INSERT INTO outbox (event_id, type, body, created_at) VALUES ($1, $2, $3, $4)";

    private const string EndSql = "UPDATE model_audit_flags SET ended_at = $2 WHERE flag_id = $1 AND ended_at IS NULL";

    private const string ForgetPeriodsSql = "DELETE FROM model_audit_periods WHERE started_at < $1";

    private const string ForgetFlagsSql = "DELETE FROM model_audit_flags WHERE detected_at < $1 AND coalesce(ended_at, detected_at) < $1";

    private readonly StoredValues _values = store.Values;

    public async Task WriteAsync(IReadOnlyList<AuditedPeriod> periods, CancellationToken cancel)
    {
        if (periods.Count > 0)
        {
            await store.WriteAsync([.. periods.Select(one => (WriteSql, Row(one)))], cancel);
        }
    }

    public async Task RaiseAsync(AuditFlag flag, CancellationToken cancel)
    {
        using var events = new ModelAuditEventWriter();
        object[] row =
        [
            _values.Of(flag.Id), _values.Of(flag.InstanceId), flag.Deployment, flag.Provider, flag.Region ?? "", flag.UpstreamModel ?? "", flag.UpstreamVersion ?? "",
            (int)flag.Kind, _values.Of(flag.Since), _values.Of(flag.DetectedAt), flag.Before, flag.After,
        ];
        if (await store.WriteAsync([(RaiseSql, row), (TellSql, [_values.Of(flag.Id), ModelAuditEventWriter.Type, events.Write(flag).ToArray(), _values.Of(flag.DetectedAt)])], cancel))
        {
            signal.Raise();
        }
    }

    public Task EndAsync(Guid flag, DateTimeOffset at, CancellationToken cancel) => store.WriteAsync([(EndSql, [_values.Of(flag), _values.Of(at)])], cancel);

    public async Task ForgetAsync(DateTimeOffset before, CancellationToken cancel)
    {
        await store.WriteAsync([(ForgetPeriodsSql, [_values.Of(before)])], cancel);
        await store.WriteAsync([(ForgetFlagsSql, [_values.Of(before)])], cancel);
    }

    public async Task<IReadOnlyList<AuditedPeriod>> PeriodsAsync(DateTimeOffset since, string? deployment, CancellationToken cancel) => await store.ReadAsync(
        tenant: null,
        command =>
        {
            Ask(command, since, deployment);
            return """
                SELECT deployment, started_at, instance_id, requests, errors, refusals, first_token_ms, tokens_per_second, output_tokens, models, fingerprints
                FROM model_audit_periods WHERE started_at >= $1 AND ($2 = '' OR deployment = $2) ORDER BY started_at, deployment, instance_id
                """;
        },
        Period, MostRows, cancel, patient: true);

    public async Task<IReadOnlyList<AuditFlag>> FlagsAsync(DateTimeOffset since, string? deployment, CancellationToken cancel) => await store.ReadAsync(
        tenant: null,
        command =>
        {
            Ask(command, since, deployment);
            return """
                SELECT flag_id, instance_id, deployment, provider, region, upstream_model, upstream_version, kind, since, detected_at, ended_at, was, became
                FROM model_audit_flags WHERE (ended_at IS NULL OR ended_at >= $1) AND ($2 = '' OR deployment = $2) ORDER BY detected_at DESC, flag_id DESC
                """;
        },
        Flag, MostRows, cancel, patient: true);

    private void Ask(DbCommand command, DateTimeOffset since, string? deployment)
    {
        command.Parameters.Add(_values.Parameter("$1", _values.Of(since)));
        command.Parameters.Add(_values.Parameter("$2", deployment ?? ""));
    }

    private object[] Row(AuditedPeriod one) =>
    [
        one.Deployment, _values.Of(one.Start), _values.Of(one.InstanceId), one.Requests, one.Errors, one.Refusals, one.FirstTokenMs.ToBytes(), one.TokensPerSecond.ToBytes(),
        one.OutputTokens.ToBytes(), JsonSerializer.Serialize(one.Models), JsonSerializer.Serialize(one.Fingerprints),
    ];

    private AuditedPeriod Period(DbDataReader reader) => new()
    {
        Deployment = reader.GetString(0),
        Start = _values.Time(reader, 1),
        InstanceId = _values.Id(reader, 2),
        Requests = reader.GetInt64(3),
        Errors = reader.GetInt64(4),
        Refusals = reader.GetInt64(5),
        FirstTokenMs = LogHistogram.Parse(reader.GetFieldValue<byte[]>(6)),
        TokensPerSecond = LogHistogram.Parse(reader.GetFieldValue<byte[]>(7)),
        OutputTokens = LogHistogram.Parse(reader.GetFieldValue<byte[]>(8)),
        Models = Names(reader.GetString(9)),
        Fingerprints = Names(reader.GetString(10)),
    };

    private AuditFlag Flag(DbDataReader reader) => new()
    {
        Id = _values.Id(reader, 0),
        InstanceId = _values.Id(reader, 1),
        Deployment = reader.GetString(2),
        Provider = reader.GetString(3),
        Region = reader.TextOrNull(4),
        UpstreamModel = reader.TextOrNull(5),
        UpstreamVersion = reader.TextOrNull(6),
        Kind = (AuditedKind)reader.GetInt32(7),
        Since = _values.Time(reader, 8),
        DetectedAt = _values.Time(reader, 9),
        EndedAt = reader.IsDBNull(10) ? null : _values.Time(reader, 10),
        Before = reader.GetString(11),
        After = reader.GetString(12),
    };

    private static Dictionary<string, long> Names(string json)
    {
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, long>>(json) ?? [];
        }
        catch (JsonException cause)
        {
            throw new InvalidDataException("The names in a period of the model audit cannot be read.", cause);
        }
    }
}
