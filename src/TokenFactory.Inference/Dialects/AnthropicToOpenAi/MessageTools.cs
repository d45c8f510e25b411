using System.Text.Json;

namespace TokenFactory.Inference.Dialects.AnthropicToOpenAi;

/// <summary>Writes the tools of a Messages request, and which of them the model is to call.</summary>
internal sealed class MessageTools(JsonElement root, Utf8JsonWriter json)
{
    public void Write()
    {
        if (root.Get("tools"u8) is not { } tools)
        {
            return;
        }

        if (tools.ValueKind != JsonValueKind.Array)
        {
            throw InexpressibleException.Malformed("tools", "must be an array of tools.");
        }

        if (tools.GetArrayLength() == 0)
        {
            return;
        }

        json.WriteStartArray("tools"u8);
        var index = 0;
        foreach (var tool in tools.EnumerateArray())
        {
            Tool(tool, index++);
        }

        json.WriteEndArray();
        Choice();
    }

    private void Tool(JsonElement tool, int index)
    {
        if (tool.Get("type"u8) is not null && !tool.Says("type"u8, "custom"u8))
        {
            throw InexpressibleException.Of($"tools[{index}]", "is a tool that Anthropic runs, which this model's backend does not have. Use tools with an input_schema.");
        }

        json.WriteStartObject();
        json.WriteString("type"u8, "function"u8);
        json.WriteStartObject("function"u8);
        json.CopyIfAny("name"u8, tool.Get("name"u8));
        json.CopyIfAny("description"u8, tool.Get("description"u8));
        json.Copy("parameters"u8, tool.Get("input_schema"u8) ?? throw InexpressibleException.Malformed($"tools[{index}].input_schema", "must be a JSON Schema."));
        json.CopyIfAny("strict"u8, tool.Get("strict"u8));
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void Choice()
    {
        if (root.Get("tool_choice"u8) is not { } choice)
        {
            return;
        }

        switch (choice.Text("type"u8))
        {
            case "auto":
                json.WriteString("tool_choice"u8, "auto"u8);
                break;
            case "any":
                json.WriteString("tool_choice"u8, "required"u8);
                break;
            case "none":
                json.WriteString("tool_choice"u8, "none"u8);
                break;
            case "tool":
                json.WriteStartObject("tool_choice"u8);
                json.WriteString("type"u8, "function"u8);
                json.WriteStartObject("function"u8);
                json.CopyIfAny("name"u8, choice.Get("name"u8));
                json.WriteEndObject();
                json.WriteEndObject();
                break;
            default:
                throw InexpressibleException.Malformed("tool_choice.type", "must be auto, any, tool or none.");
        }

        if (choice.Get("disable_parallel_tool_use"u8) is { ValueKind: JsonValueKind.True })
        {
            json.WriteBoolean("parallel_tool_calls"u8, false);
        }
    }
}
