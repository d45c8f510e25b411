using System.Text.Json;

namespace TokenFactory.Inference.Dispatch.Loopback.Choices;

/// <summary>The tool a caller insists on, by <c>tool_choice</c>; left the choice, loopback always prefers to talk.</summary>
internal static class ForcedTool
{
    /// <param name="isFlat">Whether a function is named beside its type, as in Responses, and not inside of a member of its own.</param>
    public static string? Read(Fields fields, bool isFlat = false)
    {
        if (!fields.TryGet("tool_choice", out var choice))
        {
            return null;
        }

        var names = Names(fields, isFlat);
        if (choice.ValueKind == JsonValueKind.String)
        {
            return choice.ValueEquals("required"u8) ? FirstOf(names, fields) : Free(choice, fields);
        }

        if (!TryNameOf(choice, isFlat, out var named))
        {
            fields.Refuse("tool_choice", "Invalid 'tool_choice': expected 'none', 'auto', 'required' or a function.");
            return null;
        }

        var wanted = fields.Text(named, "tool_choice");
        if (!names.Contains(wanted))
        {
            fields.Refuse("tool_choice", "Invalid 'tool_choice': the function is not among the 'tools'.");
        }

        return wanted;
    }

    private static string? FirstOf(List<string> names, Fields fields)
    {
        if (names.Count == 0)
        {
            fields.Refuse("tool_choice", "Invalid 'tool_choice': 'required' is only allowed with 'tools'.");
        }

        return names.FirstOrDefault();
    }

    private static string? Free(JsonElement choice, Fields fields)
    {
        if (!choice.ValueEquals("auto"u8) && !choice.ValueEquals("none"u8))
        {
            fields.Refuse("tool_choice", "Invalid 'tool_choice': expected 'none', 'auto', 'required' or a function.");
        }

        return null;
    }

    private static List<string> Names(Fields fields, bool isFlat)
    {
        var names = new List<string>();
        if (fields.TryGet("tools", out var tools) && tools.ValueKind == JsonValueKind.Array)
        {
            foreach (var tool in tools.EnumerateArray())
            {
                if (TryNameOf(tool, isFlat, out var name))
                {
                    names.Add(fields.Text(name, "tools"));
                }
            }
        }

        return names;
    }

    private static bool TryNameOf(JsonElement tool, bool isFlat, out JsonElement name)
    {
        name = default;
        if (isFlat)
        {
            return tool.ValueKind == JsonValueKind.Object && tool.TryGetProperty("name", out name);
        }

        return tool.ValueKind == JsonValueKind.Object
            && tool.TryGetProperty("function", out var function)
            && function.ValueKind == JsonValueKind.Object
            && function.TryGetProperty("name", out name);
    }
}
