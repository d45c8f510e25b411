using System.Text.Json;

namespace TokenFactory.Inference.Dialects.OpenAiToAnthropic;

/// <summary>Writes the tools of a chat request, and which of them the model is to call.</summary>
internal sealed class ChatTools(JsonElement root, Utf8JsonWriter json)
{
    public void Write()
    {
        var any = Tools();
        Choice(any);
    }

    private bool Tools()
    {
        if (root.Get("tools"u8) is not { } tools)
        {
            return false;
        }

        if (tools.ValueKind != JsonValueKind.Array)
        {
            throw InexpressibleException.Malformed("tools", "must be an array of tools.");
        }

        if (tools.GetArrayLength() == 0)
        {
            return false;
        }

        json.WriteStartArray("tools"u8);
        var index = 0;
        foreach (var tool in tools.EnumerateArray())
        {
            Tool(tool, index++);
        }

        json.WriteEndArray();
        return true;
    }

    private void Tool(JsonElement tool, int index)
    {
        if (tool.Says("type"u8, "custom"u8))
        {
            throw InexpressibleException.Of($"tools[{index}]", "is a custom tool, which this model's backend does not know. Use a function with a JSON Schema.");
        }

        if (!tool.Says("type"u8, "function"u8))
        {
            // One of Anthropic's own, such as a server tool.
            json.Copy(tool);
            return;
        }

        var function = tool.Get("function"u8) ?? throw InexpressibleException.Malformed($"tools[{index}].function", "must be an object with a name.");
        json.WriteStartObject();
        json.CopyIfAny("name"u8, function.Get("name"u8));
        json.CopyIfAny("description"u8, function.Get("description"u8));
        json.WritePropertyName("input_schema"u8);
        if (function.Get("parameters"u8) is { } parameters && parameters.Get("type"u8) is not null)
        {
            json.Copy(parameters);
        }
        else
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "object"u8);
            foreach (var member in function.Get("parameters"u8) is { ValueKind: JsonValueKind.Object } untyped ? untyped.EnumerateObject() : default)
            {
                json.Copy(member);
            }

            json.WriteEndObject();
        }

        if (function.Get("strict"u8) is { ValueKind: JsonValueKind.True })
        {
            json.WriteBoolean("strict"u8, true);
        }

        json.CopyIfAny("cache_control"u8, tool.Get("cache_control"u8));
        json.WriteEndObject();
    }

    private void Choice(bool anyTools)
    {
        var alone = root.Get("parallel_tool_calls"u8) is { ValueKind: JsonValueKind.False };
        var choice = root.Get("tool_choice"u8);
        if (!anyTools || (choice is null && !alone))
        {
            return;
        }

        json.WriteStartObject("tool_choice"u8);
        var calls = Kind(choice);
        if (alone && calls)
        {
            json.WriteBoolean("disable_parallel_tool_use"u8, true);
        }

        json.WriteEndObject();
    }

    /// <summary>Whether tools may be called at all.</summary>
    private bool Kind(JsonElement? choice)
    {
        switch (choice)
        {
            case null or { ValueKind: JsonValueKind.String } when choice?.GetString() is null or "auto":
                json.WriteString("type"u8, "auto"u8);
                return true;
            case { ValueKind: JsonValueKind.String } words when words.ValueEquals("required"u8):
                json.WriteString("type"u8, "any"u8);
                return true;
            case { ValueKind: JsonValueKind.String } words when words.ValueEquals("none"u8):
                json.WriteString("type"u8, "none"u8);
                return false;
            case { ValueKind: JsonValueKind.Object } one when one.Get("function"u8)?.Get("name"u8) is { } name:
                json.WriteString("type"u8, "tool"u8);
                json.Copy("name"u8, name);
                return true;
            default:
                throw InexpressibleException.Of("tool_choice", "of this form cannot be said to this model's backend. Use 'auto', 'required', 'none' or one function.");
        }
    }
}
