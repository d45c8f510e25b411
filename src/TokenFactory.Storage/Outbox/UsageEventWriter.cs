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
        UsageData.WriteTime(_json, "time"u8, settlement.SettledAt);
        _json.WriteString("datacontenttype"u8, "application/json"u8);
        _json.WritePropertyName("data"u8);
        UsageData.Write(_json, settlement, tokens, costNanoUsd, adjusts);
        _json.WriteEndObject();
        _json.Flush();
        return _buffer.WrittenSpan;
    }

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
