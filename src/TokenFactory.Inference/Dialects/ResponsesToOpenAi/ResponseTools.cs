using System.Text.Json;

namespace TokenFactory.Inference.Dialects.ResponsesToOpenAi;

/// <summary>Writes the tools of a response as chat has them: functions inside of a member of their own.</summary>
internal sealed class ResponseTools(JsonElement root, Utf8JsonWriter json)
{
    public void Write()
    {
        if (root.Get("tools"u8) is { ValueKind: JsonValueKind.Array } tools && tools.GetArrayLength() > 0)
        {
            var index = 0;
            json.WriteStartArray("tools"u8);
            foreach (var tool in tools.EnumerateArray())
            {
                Tool(tool, index++);
            }

            json.WriteEndArray();
        }

        if (root.Get("tool_choice"u8) is { } choice)
        {
            Choice(choice);
        }
    }

    private void Tool(JsonElement tool, int index)
    {
        if (!tool.Says("type"u8, "function"u8))
        {
            throw InexpressibleException.Of($"tools[{index}]", "is of a type that this model's backend has not. Use tools of type 'function', or another model.");
        }

        json.WriteStartObject();
        json.WriteString("type"u8, "function"u8);
        json.WriteStartObject("function"u8);
        json.Copy("name"u8, tool.Get("name"u8) ?? throw InexpressibleException.Malformed($"tools[{index}].name", "must be a string."));
        json.CopyIfAny("description"u8, tool.Get("description"u8));
        json.CopyIfAny("parameters"u8, tool.Get("parameters"u8));
        json.CopyIfAny("strict"u8, tool.Get("strict"u8));
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void Choice(JsonElement choice)
    {
        if (choice.IsText)
        {
            json.Copy("tool_choice"u8, choice);
            return;
        }

        if (!choice.Says("type"u8, "function"u8) || choice.Get("name"u8) is not { } name)
        {
            throw InexpressibleException.Of("tool_choice", "of this kind cannot be said to this model's backend. Use 'auto', 'required', 'none' or one function.");
        }

        json.WriteStartObject("tool_choice"u8);
        json.WriteString("type"u8, "function"u8);
        json.WriteStartObject("function"u8);
        json.Copy("name"u8, name);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
