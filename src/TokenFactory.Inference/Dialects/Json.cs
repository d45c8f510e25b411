using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace TokenFactory.Inference.Dialects;

/// <summary>Takes values from one JSON document to another as the bytes they came as: no text of a caller is decoded on the way.</summary>
internal static class Json
{
    public static JsonWriterOptions Written { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    extension(Utf8JsonWriter json)
    {
        public void Copy(ReadOnlySpan<byte> name, JsonElement value)
        {
            json.WritePropertyName(name);
            json.Copy(value);
        }

        public void Copy(JsonElement value) => json.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);

        public void Copy(JsonProperty member)
        {
            json.WritePropertyName(member.Name);
            json.Copy(member.Value);
        }

        /// <summary>Writes the member when there is one that is not null.</summary>
        public void CopyIfAny(ReadOnlySpan<byte> name, JsonElement? value)
        {
            if (value is { ValueKind: not (JsonValueKind.Null or JsonValueKind.Undefined) } some)
            {
                json.Copy(name, some);
            }
        }
    }

    extension(JsonElement element)
    {
        public bool IsNothing => element.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined;

        public bool IsText => element.ValueKind == JsonValueKind.String;

        /// <summary>The member, or null when it is absent, null, or this is no object.</summary>
        public JsonElement? Get(ReadOnlySpan<byte> name) =>
            element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

        /// <summary>The member's text, or null when it is no string.</summary>
        public string? Text(ReadOnlySpan<byte> name) => element.Get(name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

        /// <summary>Whether the member is a string of just these words.</summary>
        public bool Says(ReadOnlySpan<byte> name, ReadOnlySpan<byte> words) =>
            element.Get(name) is { ValueKind: JsonValueKind.String } value && value.ValueEquals(words);

        /// <summary>Whether this is a string without a character.</summary>
        public bool IsEmptyText => element.ValueKind == JsonValueKind.String && element.ValueEquals(default(ReadOnlySpan<byte>));
    }
}
