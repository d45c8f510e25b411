using System.Text.Json;

namespace TokenFactory.Inference.Dispatch.Loopback;

/// <summary>The tool a caller insists on, by <c>tool_choice</c>; left the choice, loopback always prefers to talk.</summary>
internal static class ForcedTool
{
    public static string? Read(Fields fields)
    {
        if (!fields.TryGet("tool_choice", out var choice))
        {
            return null;
        }

        var names = Names(fields);
        if (choice.ValueKind == JsonValueKind.String)
        {
            return choice.ValueEquals("required"u8) ? FirstOf(names, fields) : Free(choice, fields);
        }

        if (!TryNameOf(choice, out var named))
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

    private static List<string> Names(Fields fields)
    {
        var names = new List<string>();
        if (fields.TryGet("tools", out var tools) && tools.ValueKind == JsonValueKind.Array)
        {
            foreach (var tool in tools.EnumerateArray())
            {
                if (TryNameOf(tool, out var name))
                {
                    names.Add(fields.Text(name, "tools"));
                }
            }
        }

        return names;
    }

    private static bool TryNameOf(JsonElement tool, out JsonElement name)
    {
        name = default;
        return tool.ValueKind == JsonValueKind.Object
            && tool.TryGetProperty("function", out var function)
            && function.ValueKind == JsonValueKind.Object
            && function.TryGetProperty("name", out name);
    }
}
