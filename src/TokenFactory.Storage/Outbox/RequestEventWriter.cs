using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using TokenFactory.Storage.Journal;

namespace TokenFactory.Storage.Outbox;

/// <summary>
/// A request's step before its settlement as a CloudEvents 1.0 JSON object (docs/api/request-event.schema.json); its end is the usage event.
/// One buffer serves every event, so the bytes returned are valid until the next call. Not for two threads.
/// </summary>
internal sealed class RequestEventWriter : IDisposable
{
    public const string Type = "tokenfactory.request.v1";

    private const string Admission = "admitted";
    private const string CancelRequest = "cancel_requested";

    private readonly ArrayBufferWriter<byte> _buffer = new(1024);
    private readonly Utf8JsonWriter _json;

    public RequestEventWriter() => _json = new Utf8JsonWriter(_buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });

    /// <summary>Made from the request's, so that what is written again is the same event.</summary>
    public static Guid AdmittedId(Guid requestId) => Ids.StepOf(requestId, Admission);

    public static Guid CancelRequestedId(Guid requestId) => Ids.StepOf(requestId, CancelRequest);

    public ReadOnlySpan<byte> Admitted(Admission admission)
    {
        Begin(AdmittedId(admission.RequestId), admission, Admission, admission.AcceptedAt);
        return End();
    }

    /// <param name="keyId">Whose key asked; null for the operator.</param>
    public ReadOnlySpan<byte> CancelRequested(Admission admission, string? keyId, DateTimeOffset at)
    {
        Begin(CancelRequestedId(admission.RequestId), admission, CancelRequest, at);
        _json.WriteString("requested_by"u8, keyId);
        return End();
    }

    public void Dispose() => _json.Dispose();

    private void Begin(Guid id, Admission admission, string step, DateTimeOffset at)
    {
        _buffer.ResetWrittenCount();
        _json.Reset();
        _json.WriteStartObject();
        _json.WriteString("specversion"u8, "1.0"u8);
        _json.WriteString("id"u8, id);
        _json.WriteString("type"u8, Type);
        _json.WriteString("source"u8, $"/gateways/{admission.InstanceId}");
        _json.WriteString("subject"u8, admission.Tenant);
        UsageData.WriteTime(_json, "time"u8, at);
        _json.WriteString("datacontenttype"u8, "application/json"u8);
        _json.WriteStartObject("data"u8);
        _json.WriteString("step"u8, step);
        UsageData.WriteFacts(_json, admission);
        UsageData.WritePolicy(_json, admission);
        UsageData.WriteTime(_json, "accepted_at"u8, admission.AcceptedAt);
    }

    private ReadOnlySpan<byte> End()
    {
        _json.WriteEndObject();
        _json.WriteEndObject();
        _json.Flush();
        return _buffer.WrittenSpan;
    }
}
