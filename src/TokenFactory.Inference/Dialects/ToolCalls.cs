using System.Runtime.InteropServices;
using System.Text.Json;

namespace TokenFactory.Inference.Dialects;

/// <summary>Writes the <c>tool_use</c> blocks of a turn or an answer as the <c>tool_calls</c> of a chat message; nothing where there are none.</summary>
internal static class ToolCalls
{
    public static void Write(Utf8JsonWriter json, JsonElement content)
    {
        var begun = false;
        foreach (var block in content.EnumerateArray())
        {
            if (!block.Says("type"u8, "tool_use"u8))
            {
                continue;
            }

            if (!begun)
            {
                begun = true;
                json.WriteStartArray("tool_calls"u8);
            }

            json.WriteStartObject();
            json.CopyIfAny("id"u8, block.Get("id"u8));
            json.WriteString("type"u8, "function"u8);
            json.WriteStartObject("function"u8);
            json.CopyIfAny("name"u8, block.Get("name"u8));
            json.WriteString("arguments"u8, block.Get("input"u8) is { } input ? JsonMarshal.GetRawUtf8Value(input) : "{}"u8);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        if (begun)
        {
            json.WriteEndArray();
        }
    }
}
