using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace TokenFactory.Storage.Outbox;

/// <summary>
/// What every event has around its data: a CloudEvents 1.0 JSON object. One buffer serves every event, so the bytes returned are valid until
/// the next one. Not for two threads.
/// </summary>
internal sealed class EventEnvelope : IDisposable
{
    private readonly ArrayBufferWriter<byte> _buffer = new(1024);
    private Guid _instance;
    private string _source = "";

    public EventEnvelope() => Json = new Utf8JsonWriter(_buffer, new JsonWriterOptions
    {
        // Events are read by programs, never pasted into a page: names in any script stay readable.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    });

    public Utf8JsonWriter Json { get; }

    /// <summary>Up to the data, which is written next.</summary>
    public void Begin(Guid id, string type, Guid instance, string subject, DateTimeOffset time)
    {
        _buffer.ResetWrittenCount();
        Json.Reset();
        Json.WriteStartObject();
        Json.WriteString("specversion"u8, "1.0"u8);
        Json.WriteString("id"u8, id);
        Json.WriteString("type"u8, type);
        Json.WriteString("source"u8, Source(instance));
        Json.WriteString("subject"u8, subject);
        UsageData.WriteTime(Json, "time"u8, time);
        Json.WriteString("datacontenttype"u8, "application/json"u8);
        Json.WritePropertyName("data"u8);
    }

    public ReadOnlySpan<byte> End()
    {
        Json.WriteEndObject();
        Json.Flush();
        return _buffer.WrittenSpan;
    }

    public void Dispose() => Json.Dispose();

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
