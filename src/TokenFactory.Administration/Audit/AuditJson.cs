using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using TokenFactory.Storage.Audit;

namespace TokenFactory.Administration.Audit;

/// <summary>An audit record beside its place in its chain: <c>{"chain","sequence","previous","hash","record"}</c>; the record's bytes are those that are hashed.</summary>
public static class AuditJson
{
    internal static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Of(AuditRecord record)
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        using (var json = new Utf8JsonWriter(buffer, Plain))
        {
            Write(json, record);
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Without its place: the gaps between a tenant's own would tell how much others ask.</summary>
    internal static void WriteForCaller(Utf8JsonWriter json, AuditRecord record)
    {
        json.WriteStartObject();
        json.WriteString("hash"u8, Convert.ToHexStringLower(record.Hash));
        json.WritePropertyName("record"u8);
        json.WriteRawValue(record.Body, skipInputValidation: true);
        json.WriteEndObject();
    }

    internal static void Write(Utf8JsonWriter json, AuditRecord record)
    {
        json.WriteStartObject();
        json.WriteString("chain"u8, record.Chain);
        json.WriteNumber("sequence"u8, record.Sequence);
        json.WriteString("previous"u8, Convert.ToHexStringLower(record.Previous));
        json.WriteString("hash"u8, Convert.ToHexStringLower(record.Hash));
        json.WritePropertyName("record"u8);
        json.WriteRawValue(record.Body, skipInputValidation: true);
        json.WriteEndObject();
    }
}
