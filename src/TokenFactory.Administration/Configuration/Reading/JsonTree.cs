using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace TokenFactory.Administration.Configuration.Reading;

/// <summary>JSON ↔ nodes: a registered document is kept as JSON, and read as though it were written in the file.</summary>
internal static class JsonTree
{
    private static readonly JsonDocumentOptions _reading = new() { AllowDuplicateProperties = false, MaxDepth = 32 };
    private static readonly JsonWriterOptions _writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Null when it is no JSON object, or has a member twice.</summary>
    public static MappingNode? Read(string json, Origin origin)
    {
        try
        {
            using var document = JsonDocument.Parse(json, _reading);
            return NodeOf(document.RootElement, origin) as MappingNode;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public static Node NodeOf(JsonElement element, Origin origin)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                var mapping = new MappingNode(origin);
                mapping.Entries.AddRange(element.EnumerateObject().Select(member => new Entry(member.Name, origin, NodeOf(member.Value, origin))));
                return mapping;
            case JsonValueKind.Array:
                var list = new ListNode(origin);
                list.Items.AddRange(element.EnumerateArray().Select(item => NodeOf(item, origin)));
                return list;
            case JsonValueKind.String:
                return new ScalarNode(origin, element.GetString()!, isPlain: false);
            default:
                return new ScalarNode(origin, element.GetRawText(), isPlain: true);
        }
    }

    /// <summary>On one line, with the members in their order: equal documents have equal texts.</summary>
    public static string Write(Node node)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, _writing))
        {
            Write(json, node);
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static void Write(Utf8JsonWriter json, Node node)
    {
        switch (node)
        {
            case MappingNode mapping:
                json.WriteStartObject();
                foreach (var entry in mapping.Entries)
                {
                    json.WritePropertyName(entry.Key);
                    Write(json, entry.Value);
                }

                json.WriteEndObject();
                break;
            case ListNode list:
                json.WriteStartArray();
                list.Items.ForEach(item => Write(json, item));
                json.WriteEndArray();
                break;
            case ScalarNode { IsNull: true }:
                json.WriteNullValue();
                break;
            case ScalarNode { IsPlain: true } plain when IsLiteral(plain.Text):
                json.WriteRawValue(plain.Text, skipInputValidation: true);
                break;
            case ScalarNode scalar:
                json.WriteStringValue(scalar.Text);
                break;
        }
    }

    // What means the same in JSON; 010, .5, True and 5s stay texts, which is how they are read back.
    private static bool IsLiteral(string text)
    {
        if (text is "true" or "false")
        {
            return true;
        }

        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text));
        try
        {
            return text.Length > 0 && (text[0] == '-' || char.IsAsciiDigit(text[0])) && reader.Read() && reader.TokenType == JsonTokenType.Number && !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
