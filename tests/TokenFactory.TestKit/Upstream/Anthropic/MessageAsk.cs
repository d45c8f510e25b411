using System.Text;
using System.Text.Json;

namespace TokenFactory.TestKit.Upstream.Anthropic;

/// <summary>Reads a Messages request. Words are counted where a chat request holds the same ones (system, texts, tool results),
/// so that one conversation counts alike in both dialects.</summary>
internal static class MessageAsk
{
    public static UpstreamAsk Read(UpstreamOperation operation, JsonElement root)
    {
        // What breaks the rules is never answered, so nothing of it needs to be understood.
        if (MessageRules.Fault(root, counting: operation == UpstreamOperation.CountTokens) is { } fault)
        {
            return new UpstreamAsk { Operation = operation, Fault = fault, Model = AskText.String(root, "model") ?? "" };
        }

        var messages = root.GetProperty("messages").EnumerateArray().ToList();
        var lastUserText = messages.Where(message => AskText.String(message, "role") == "user").Select(TextOf).LastOrDefault(text => text.Length > 0) ?? "";
        var toolResult = Blocks(messages[^1], "tool_result").Select(ResultOf).LastOrDefault();
        return new UpstreamAsk
        {
            Operation = operation,
            Model = AskText.String(root, "model")!,
            Stream = root.TryGetProperty("stream", out var stream) && stream.ValueKind == JsonValueKind.True,
            MaxTokens = root.TryGetProperty("max_tokens", out var most) ? most.GetInt32() : null,
            LastUserText = lastUserText,
            ToolResult = toolResult,
            PromptTokens = UpstreamAsk.CountWords(SystemOf(root)) + messages.Sum(WordsOf),
            StopSequences = root.TryGetProperty("stop_sequences", out var stops) ? [.. stops.EnumerateArray().Select(stop => stop.GetString()!)] : [],
            Thinks = root.TryGetProperty("thinking", out var thinking) && AskText.String(thinking, "type") is "enabled" or "adaptive",
            Tool = ToolToCall(root, lastUserText, toolResult),
        };
    }

    private static string? ToolToCall(JsonElement root, string lastUserText, string? toolResult)
    {
        if (!root.TryGetProperty("tools", out var tools) || tools.GetArrayLength() == 0)
        {
            return null;
        }

        var choice = root.TryGetProperty("tool_choice", out var found) ? AskText.String(found, "type") : "auto";
        return choice switch
        {
            "tool" => AskText.String(found, "name"),
            "any" => AskText.String(tools[0], "name"),
            "auto" when toolResult is null && lastUserText.Contains("call the tool", StringComparison.OrdinalIgnoreCase) => AskText.String(tools[0], "name"),
            _ => null,
        };
    }

    private static string SystemOf(JsonElement root) => root.TryGetProperty("system", out var system) ? TextOfContent(system) : "";

    private static string TextOf(JsonElement message) => TextOfContent(message.GetProperty("content"));

    private static int WordsOf(JsonElement message) => UpstreamAsk.CountWords(TextOf(message)) + Blocks(message, "tool_result").Sum(block => UpstreamAsk.CountWords(ResultOf(block)));

    private static string ResultOf(JsonElement block) => block.TryGetProperty("content", out var content) ? TextOfContent(content) : "";

    private static IEnumerable<JsonElement> Blocks(JsonElement message, string type) => message.GetProperty("content") is { ValueKind: JsonValueKind.Array } content
        ? content.EnumerateArray().Where(block => AskText.String(block, "type") == type)
        : [];

    private static string TextOfContent(JsonElement content)
    {
        if (content.ValueKind == JsonValueKind.String)
        {
            return content.GetString()!;
        }

        var joined = new StringBuilder();
        foreach (var block in content.EnumerateArray().Where(block => AskText.String(block, "type") == "text"))
        {
            joined.Append(joined.Length == 0 ? "" : " ").Append(AskText.String(block, "text"));
        }

        return joined.ToString();
    }
}
