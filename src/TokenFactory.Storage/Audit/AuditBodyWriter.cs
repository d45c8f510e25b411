using System.Buffers;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Outbox;

namespace TokenFactory.Storage.Audit;

/// <summary>
/// The body of an audit record (docs/api/audit-record.schema.json): these bytes are what is hashed, kept and exported. One buffer serves
/// every record, so the bytes returned are valid until the next call. Not for two threads.
/// </summary>
internal sealed class AuditBodyWriter : IDisposable
{
    private static readonly string _version = typeof(AuditBodyWriter).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    private readonly ArrayBufferWriter<byte> _buffer = new(2048);
    private readonly Utf8JsonWriter _json;

    public AuditBodyWriter() => _json = new Utf8JsonWriter(_buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });

    public ReadOnlySpan<byte> Write(Settlement settlement)
    {
        Begin(settlement.Admission.RequestId, AuditKind.Request, settlement.SettledAt, settlement.Admission.InstanceId);
        UsageData.Write(_json, settlement, settlement.Tokens, settlement.CostNanoUsd, adjusts: null);
        WriteAttempts(settlement);
        return End();
    }

    public ReadOnlySpan<byte> Write(Adjustment adjustment)
    {
        var known = adjustment.Known;
        Begin(adjustment.Id, AuditKind.Adjustment, known.SettledAt, known.Admission.InstanceId);
        UsageData.Write(_json, known, adjustment.Tokens, adjustment.CostNanoUsd, adjusts: known.Admission.RequestId);
        WriteAttempts(known);
        return End();
    }

    public ReadOnlySpan<byte> Write(Denial denial)
    {
        Begin(denial.RequestId, AuditKind.Denial, denial.DeniedAt, denial.InstanceId);
        _json.WriteStartObject();
        UsageData.WriteFacts(_json, denial);
        UsageData.WritePolicy(_json, denial);
        _json.WriteNumber("status"u8, denial.Status);
        _json.WriteString("error"u8, denial.Error);
        _json.WriteString("reason"u8, denial.Reason);
        _json.WriteEndObject();
        return End();
    }

    public void Dispose() => _json.Dispose();

    private void Begin(Guid id, string kind, DateTimeOffset at, Guid instance)
    {
        _buffer.ResetWrittenCount();
        _json.Reset();
        _json.WriteStartObject();
        _json.WriteString("id"u8, id);
        _json.WriteString("kind"u8, kind);
        UsageData.WriteTime(_json, "at"u8, at);
        _json.WriteString("instance"u8, instance);
        _json.WriteString("gateway_version"u8, _version);

        // Nothing that a caller or a model wrote is ever in a record, so nothing has to be taken out before it can no longer be changed.
        _json.WriteString("redaction"u8, "no_content"u8);
        _json.WritePropertyName("data"u8);
    }

    private ReadOnlySpan<byte> End()
    {
        _json.WriteEndObject();
        _json.Flush();
        return _buffer.WrittenSpan;
    }

    /// <summary>Every try and what made it the last: the fallbacks and their triggers.</summary>
    private void WriteAttempts(Settlement settlement)
    {
        _json.WriteString("error"u8, settlement.Error);
        _json.WriteStartArray("attempts"u8);
        for (var index = 0; index < settlement.Attempts.Count; index++)
        {
            var attempt = settlement.Attempts[index];
            _json.WriteStartObject();
            _json.WriteString("deployment"u8, attempt.Deployment);
            _json.WriteString("provider"u8, attempt.Provider);
            _json.WriteString("region"u8, attempt.Region);
            if (attempt.Status is { } status)
            {
                _json.WriteNumber("status"u8, status);
            }
            else
            {
                _json.WriteNull("status"u8);
            }

            _json.WriteString("error"u8, attempt.Error);
            UsageData.WriteTime(_json, "started_at"u8, attempt.StartedAt);
            UsageData.WriteMilliseconds(_json, "duration_ms"u8, attempt.Duration);
            _json.WriteEndObject();
        }

        _json.WriteEndArray();
        WriteSkipped(settlement);
    }

    private void WriteSkipped(Settlement settlement)
    {
        if (settlement.Skipped.Count == 0)
        {
            return;
        }

        _json.WriteStartArray("skipped"u8);
        foreach (var skip in settlement.Skipped)
        {
            _json.WriteStartObject();
            _json.WriteString("deployment"u8, skip.Deployment);
            _json.WriteString("reason"u8, skip.Reason);
            _json.WriteEndObject();
        }

        _json.WriteEndArray();
    }
}
