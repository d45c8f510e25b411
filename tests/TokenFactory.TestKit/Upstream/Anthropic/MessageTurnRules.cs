using System.Text.Json;

namespace TokenFactory.TestKit.Upstream.Anthropic;

/// <summary>The turns of a conversation: who speaks, that something is said, and that every tool call is answered by the very
/// next message, its results first.</summary>
internal static class MessageTurnRules
{
    public static IEnumerable<string> Faults(JsonElement messages)
    {
        if (messages.ValueKind != JsonValueKind.Array)
        {
            return ["messages: Input should be a valid list"];
        }

        var turns = messages.EnumerateArray().ToList();
        return turns.Count == 0
            ? ["messages: at least one message is required"]
            : turns.SelectMany((turn, index) => Turn(turn, $"messages.{index}", last: index == turns.Count - 1)).Concat(Calls(turns));
    }

    private static IEnumerable<string> Turn(JsonElement turn, string path, bool last)
    {
        if (turn.ValueKind != JsonValueKind.Object)
        {
            return [$"{path}: Input should be an object"];
        }

        var role = AskText.String(turn, "role");
        if (role == "system")
        {
            return ["messages: Unexpected role \"system\". The Messages API accepts a top-level `system` parameter, not \"system\" as an input message role."];
        }

        if (role is not ("user" or "assistant"))
        {
            return [$"{path}.role: Input should be 'user' or 'assistant'"];
        }

        return turn.TryGetProperty("content", out var content)
            ? Shape.Extras(turn, path + ".", "role", "content").Concat(Content(content, path, role, last && role == "assistant"))
            : [$"{path}.content: Field required"];
    }

    private static IEnumerable<string> Content(JsonElement content, string path, string role, bool prefill)
    {
        if (content.ValueKind is not (JsonValueKind.String or JsonValueKind.Array))
        {
            return [$"{path}.content: Input should be a valid list"];
        }

        if (!prefill && (content.ValueKind == JsonValueKind.String ? content.ValueEquals("") : content.GetArrayLength() == 0))
        {
            return [$"{path}: all messages must have non-empty content except for the optional final assistant message"];
        }

        if (content.ValueKind == JsonValueKind.String)
        {
            var text = content.GetString()!;
            return prefill && text.Length > 0 && char.IsWhiteSpace(text[^1]) ? ["messages: final assistant content cannot end with trailing whitespace"]
                : !prefill && string.IsNullOrWhiteSpace(text) ? ["messages: text content blocks must contain non-whitespace text"]
                : [];
        }

        return MessageBlockRules.Faults(content, path + ".content", role == "user"
            ? ["text", "image", "document", "search_result", "tool_result"]
            : ["text", "thinking", "redacted_thinking", "tool_use"]);
    }

    /// <summary>Only asked of turns that are well formed.</summary>
    private static IEnumerable<string> Calls(List<JsonElement> turns)
    {
        var known = new HashSet<string>();
        var open = new List<string>();
        for (var index = 0; index < turns.Count; index++)
        {
            var blocks = turns[index].GetProperty("content") is { ValueKind: JsonValueKind.Array } content ? content.EnumerateArray().ToList() : [];
            foreach (var fault in Results(blocks, open, index))
            {
                yield return fault;
            }

            open = [.. blocks.Where(block => AskText.String(block, "type") == "tool_use").Select(block => AskText.String(block, "id")!)];
            if (!open.TrueForAll(known.Add))
            {
                yield return "messages: `tool_use` ids must be unique";
            }
        }

        foreach (var fault in Unanswered(open, turns.Count - 1))
        {
            yield return fault;
        }
    }

    private static IEnumerable<string> Results(List<JsonElement> blocks, List<string> open, int index)
    {
        var first = blocks.TakeWhile(IsResult).Select(IdOf).ToList();
        foreach (var (at, block) in blocks.Index().Where(pair => IsResult(pair.Item) && !open.Contains(IdOf(pair.Item))))
        {
            yield return $"messages.{index}.content.{at}: unexpected `tool_use_id` found in `tool_result` blocks: {IdOf(block)}. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.";
        }

        if (first.Count != first.Distinct().Count())
        {
            yield return $"messages.{index}: each tool_use must have a single result. Found multiple `tool_result` blocks with the same id";
        }

        foreach (var fault in Unanswered([.. open.Except(first)], index - 1))
        {
            yield return fault;
        }
    }

    private static IEnumerable<string> Unanswered(List<string> ids, int index) => ids.Count == 0
        ? []
        : [$"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: {string.Join(", ", ids)}. Each `tool_use` block must have a corresponding `tool_result` block in the next message."];

    private static bool IsResult(JsonElement block) => AskText.String(block, "type") == "tool_result";

    private static string IdOf(JsonElement block) => AskText.String(block, "tool_use_id")!;
}
