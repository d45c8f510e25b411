using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Outbox;

/// <summary>
/// A settlement or an adjustment as a CloudEvents 1.0 JSON object (docs/api/usage-event.schema.json). One buffer serves every event, so the
/// bytes returned are valid until the next call. Not for two threads.
/// </summary>
internal sealed class UsageEventWriter : IDisposable
{
    public const string Type = "tokenfactory.usage.v1";

    private readonly ArrayBufferWriter<byte> _buffer = new(1024);
    private readonly Utf8JsonWriter _json;
    private Guid _instance;
    private string _source = "";

    public UsageEventWriter() => _json = new Utf8JsonWriter(_buffer, new JsonWriterOptions
    {
        // Events are read by programs, never pasted into a page: names in any script stay readable.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    });

    public ReadOnlySpan<byte> Write(Settlement settlement) => Write(settlement.Admission.RequestId, settlement, settlement.Tokens, settlement.CostNanoUsd, adjusts: null);

    public ReadOnlySpan<byte> Write(Adjustment adjustment) =>
        Write(adjustment.Id, adjustment.Known, adjustment.Tokens, adjustment.CostNanoUsd, adjusts: adjustment.Known.Admission.RequestId);

    public void Dispose() => _json.Dispose();

    private ReadOnlySpan<byte> Write(Guid id, Settlement settlement, TokenUsage tokens, long costNanoUsd, Guid? adjusts)
    {
        _buffer.ResetWrittenCount();
        _json.Reset();
        var admission = settlement.Admission;

        _json.WriteStartObject();
        _json.WriteString("specversion"u8, "1.0"u8);
        _json.WriteString("id"u8, id);
        _json.WriteString("type"u8, Type);
        _json.WriteString("source"u8, Source(admission.InstanceId));
        _json.WriteString("subject"u8, admission.Tenant);
        WriteTime("time"u8, settlement.SettledAt);
        _json.WriteString("datacontenttype"u8, "application/json"u8);
        _json.WriteStartObject("data"u8);
        WriteCaller(admission);
        WritePlace(settlement.Placement);
        WriteOutcome(settlement, tokens, costNanoUsd);
        if (adjusts is { } adjusted)
        {
            _json.WriteString("adjusts"u8, adjusted);
        }

        _json.WriteEndObject();
        _json.WriteEndObject();
        _json.Flush();
        return _buffer.WrittenSpan;
    }

    private void WriteCaller(Admission admission)
    {
        _json.WriteString("request_id"u8, admission.RequestId);
        _json.WriteString("tenant"u8, admission.Tenant);
        _json.WriteString("project"u8, admission.Project);
        _json.WriteString("department"u8, admission.Department);
        _json.WriteString("user"u8, admission.User);
        _json.WriteString("key_id"u8, admission.KeyId);
        _json.WriteString("tier"u8, admission.Tier);
        _json.WriteString("use_case"u8, admission.UseCase);
        _json.WriteString("operation"u8, admission.Operation);
        _json.WriteBoolean("stream"u8, admission.Stream);
        _json.WriteString("model"u8, admission.Model);
    }

    private void WritePlace(Placement placement)
    {
        _json.WriteString("deployment"u8, placement.Deployment);
        _json.WriteString("provider"u8, placement.Provider);
        _json.WriteString("region"u8, placement.Region);
        _json.WriteString("upstream_model"u8, placement.UpstreamModel);
        _json.WriteString("upstream_version"u8, placement.UpstreamVersion);
    }

    private void WriteOutcome(Settlement settlement, TokenUsage tokens, long costNanoUsd)
    {
        _json.WriteString("outcome"u8, WireNames.Of(settlement.Outcome));
        _json.WriteString("evidence"u8, WireNames.Of(settlement.Evidence));
        _json.WriteStartObject("tokens"u8);
        _json.WriteNumber("input_uncached"u8, tokens.InputUncached);
        _json.WriteNumber("cache_read"u8, tokens.CacheRead);
        _json.WriteNumber("cache_write"u8, tokens.CacheWrite);
        _json.WriteNumber("output"u8, tokens.Output);
        _json.WriteNumber("reasoning"u8, tokens.Reasoning);
        _json.WriteEndObject();
        _json.WriteNumber("cost_nano_usd"u8, costNanoUsd);
        _json.WriteString("price_id"u8, settlement.Placement.Price.Id);
        _json.WriteNumber("attempts"u8, settlement.Attempts.Count);
        _json.WriteString("policy_decision_id"u8, settlement.Admission.PolicyDecisionId);
        WriteTime("accepted_at"u8, settlement.Admission.AcceptedAt);
        WriteTime("settled_at"u8, settlement.SettledAt);
        if (settlement.TimeToFirstToken is { } first)
        {
            WriteMilliseconds("time_to_first_token_ms"u8, first);
        }
        else
        {
            _json.WriteNull("time_to_first_token_ms"u8);
        }

        WriteMilliseconds("duration_ms"u8, settlement.Duration);
    }

    private void WriteTime(ReadOnlySpan<byte> name, DateTimeOffset time)
    {
        Span<byte> text = stackalloc byte[24];
        time.UtcDateTime.TryFormat(text, out var written, "yyyy-MM-ddTHH:mm:ss.fffZ");
        _json.WriteString(name, text[..written]);
    }

    /// <summary>With three decimals at most: a microsecond is the finest the ledger keeps.</summary>
    private void WriteMilliseconds(ReadOnlySpan<byte> name, TimeSpan span) =>
        _json.WriteNumber(name, decimal.Divide(span.Ticks / TimeSpan.TicksPerMicrosecond, 1000));

    private string Source(Guid instance)
    {
        if (instance != _instance || _source.Length == 0)
        {
            _instance = instance;
            _source = $"/gateways/{instance}";
        }

        return _source;
    }
}
