using System.Text.Json;
using System.Text.RegularExpressions;

namespace TokenFactory.TestKit.Upstream.Anthropic;

/// <summary>What the real API refuses with 400, in its words: members it does not know, missing ones, wrong types, ranges.
/// A client or a converter that gets these wrong would work against a lenient double and fail in earnest.</summary>
internal static partial class MessageRules
{
    private static readonly string[] _counted = ["model", "messages", "system", "tools", "tool_choice", "thinking", "cache_control", "output_config"];
    private static readonly string[] _members =
    [
        .. _counted, "max_tokens", "stop_sequences", "stream", "temperature", "top_p", "top_k", "metadata", "service_tier",
        "container", "diagnostics", "inference_geo", "speed", "user_profile_id", "workspace_id",
    ];

    /// <returns>The first mistake; null when there is none.</returns>
    public static string? Fault(JsonElement root, bool counting) => Required(root, counting)
        .Concat(Shape.Extras(root, "", counting ? _counted : _members))
        .Concat(Types(root))
        .Concat(Lists(root))
        .Concat(Tools(root))
        .Concat(Choice(root))
        .Concat(Thinking(root))
        .Concat(MessageTurnRules.Faults(root.TryGetProperty("messages", out var messages) ? messages : default))
        .FirstOrDefault();

    private static IEnumerable<string> Required(JsonElement root, bool counting)
        => (counting ? ["model", "messages"] : new[] { "model", "max_tokens", "messages" }).Where(name => !root.TryGetProperty(name, out _)).Select(name => $"{name}: Field required");

    private static IEnumerable<string> Types(JsonElement root)
    {
        if (root.GetProperty("model") is not { ValueKind: JsonValueKind.String } model || model.ValueEquals(""))
        {
            yield return "model: Input should be a valid string";
        }

        foreach (var name in (string[])["max_tokens", "top_k"])
        {
            if (root.TryGetProperty(name, out var value) && (value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out var number) || number < 0))
            {
                yield return value.ValueKind == JsonValueKind.Number ? $"{name}: Input should be greater than or equal to 0" : $"{name}: Input should be a valid integer";
            }
        }

        foreach (var name in (string[])["temperature", "top_p"])
        {
            if (root.TryGetProperty(name, out var value) && (value.ValueKind != JsonValueKind.Number || value.GetDouble() is < 0 or > 1))
            {
                yield return value.ValueKind == JsonValueKind.Number ? $"{name}: range: 0..1" : $"{name}: Input should be a valid number";
            }
        }

        if (root.TryGetProperty("stream", out var stream) && stream.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
        {
            yield return "stream: Input should be a valid boolean";
        }

        if (root.TryGetProperty("metadata", out var metadata))
        {
            foreach (var fault in metadata.ValueKind == JsonValueKind.Object ? Shape.Extras(metadata, "metadata.", "user_id") : ["metadata: Input should be an object"])
            {
                yield return fault;
            }
        }
    }

    private static IEnumerable<string> Lists(JsonElement root)
    {
        if (root.TryGetProperty("stop_sequences", out var stops))
        {
            if (stops.ValueKind != JsonValueKind.Array || stops.EnumerateArray().Any(stop => stop.ValueKind != JsonValueKind.String))
            {
                yield return "stop_sequences: Input should be a valid list";
            }
            else if (stops.EnumerateArray().Any(stop => string.IsNullOrWhiteSpace(stop.GetString())))
            {
                yield return "stop_sequences: each stop sequence must contain non-whitespace";
            }
        }

        if (root.TryGetProperty("system", out var system) && system.ValueKind != JsonValueKind.String)
        {
            foreach (var fault in system.ValueKind == JsonValueKind.Array ? MessageBlockRules.Faults(system, "system", "text") : ["system: Input should be a valid list"])
            {
                yield return fault;
            }
        }
    }

    private static IEnumerable<string> Tools(JsonElement root)
    {
        if (!root.TryGetProperty("tools", out var tools))
        {
            yield break;
        }

        if (tools.ValueKind != JsonValueKind.Array || tools.EnumerateArray().Any(tool => tool.ValueKind != JsonValueKind.Object))
        {
            yield return "tools: Input should be a valid list";
            yield break;
        }

        foreach (var fault in tools.EnumerateArray().Index().SelectMany(pair => Tool(pair.Item, pair.Index)))
        {
            yield return fault;
        }

        if (tools.EnumerateArray().GroupBy(tool => AskText.String(tool, "name")).Any(group => group.Count() > 1))
        {
            yield return "tools: Tool names must be unique.";
        }
    }

    private static IEnumerable<string> Tool(JsonElement tool, int index)
    {
        if (tool.TryGetProperty("type", out var type) && type.ValueKind != JsonValueKind.Null && !type.ValueEquals("custom"))
        {
            // Tools that the service brings itself are dated, and each has a shape of its own.
            return ServiceTool.IsMatch(type.ToString()) ? [] : [$"tools.{index}: Input tag '{type}' found using 'type' does not match any of the expected tags: 'custom', 'web_search_20250305'"];
        }

        return CustomTool(tool, $"tools.{index}.custom.");
    }

    private static IEnumerable<string> CustomTool(JsonElement tool, string path)
    {
        foreach (var fault in Shape.Extras(tool, path, "type", "name", "description", "input_schema", "cache_control", "strict", "defer_loading", "allowed_callers", "eager_input_streaming", "input_examples"))
        {
            yield return fault;
        }

        if (AskText.String(tool, "name") is not { } name)
        {
            yield return $"{path}name: Field required";
        }
        else if (!ToolName.IsMatch(name))
        {
            yield return $"{path}name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'";
        }

        if (tool.TryGetProperty("description", out var description) && description.ValueKind != JsonValueKind.String)
        {
            yield return $"{path}description: Input should be a valid string";
        }

        if (!tool.TryGetProperty("input_schema", out var schema))
        {
            yield return $"{path}input_schema: Field required";
        }
        else if (AskText.String(schema, "type") != "object")
        {
            yield return schema.ValueKind == JsonValueKind.Object && !schema.TryGetProperty("type", out _) ? $"{path}input_schema.type: Field required" : $"{path}input_schema.type: Input should be 'object'";
        }
    }

    private static IEnumerable<string> Choice(JsonElement root)
    {
        if (!root.TryGetProperty("tool_choice", out var choice))
        {
            yield break;
        }

        var type = AskText.String(choice, "type");
        if (type is not ("auto" or "any" or "tool" or "none"))
        {
            yield return $"tool_choice: Input tag '{type}' found using 'type' does not match any of the expected tags: 'auto', 'any', 'tool', 'none'";
            yield break;
        }

        string[] allowed = type switch { "tool" => ["type", "name", "disable_parallel_tool_use"], "none" => ["type"], _ => ["type", "disable_parallel_tool_use"] };
        foreach (var fault in Shape.Extras(choice, $"tool_choice.{type}.", allowed))
        {
            yield return fault;
        }

        var names = root.TryGetProperty("tools", out var tools) ? tools.EnumerateArray().Select(tool => AskText.String(tool, "name")).ToList() : [];
        if (names.Count == 0)
        {
            yield return "tool_choice: tool_choice may only be specified while providing tools.";
        }
        else if (type == "tool" && !names.Contains(AskText.String(choice, "name")))
        {
            yield return $"tool_choice: Tool '{AskText.String(choice, "name")}' not found in provided tools";
        }
    }

    private static IEnumerable<string> Thinking(JsonElement root)
    {
        if (!root.TryGetProperty("thinking", out var thinking) || AskText.String(thinking, "type") is "disabled" or "adaptive")
        {
            yield break;
        }

        if (AskText.String(thinking, "type") != "enabled")
        {
            yield return "thinking: Input should have a 'type' of 'enabled', 'disabled' or 'adaptive'";
        }
        else if (!thinking.TryGetProperty("budget_tokens", out var budget) || budget.ValueKind != JsonValueKind.Number || budget.GetInt32() < 1024)
        {
            yield return "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024";
        }
        else if (root.TryGetProperty("max_tokens", out var most) && most.GetInt32() <= budget.GetInt32())
        {
            yield return "`max_tokens` must be greater than `thinking.budget_tokens`.";
        }
        else if (root.TryGetProperty("temperature", out var temperature) && temperature.GetDouble() is not 1.0)
        {
            yield return "`temperature` may only be set to 1 when thinking is enabled.";
        }
        else if (root.TryGetProperty("tool_choice", out var choice) && AskText.String(choice, "type") is "any" or "tool")
        {
            yield return "Thinking may not be enabled when tool_choice forces tool use.";
        }
    }

    [GeneratedRegex("^[a-zA-Z0-9_-]{1,128}$")]
    private static partial Regex ToolName { get; }

    [GeneratedRegex("^[a-z0-9_]+_20[0-9]{6}$")]
    private static partial Regex ServiceTool { get; }
}
