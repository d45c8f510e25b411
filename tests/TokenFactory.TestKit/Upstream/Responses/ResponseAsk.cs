using System.Text.Json;

namespace TokenFactory.TestKit.Upstream.Responses;

/// <summary>Reads a request of OpenAI's Responses.</summary>
internal static class ResponseAsk
{
    public static UpstreamAsk Read(JsonElement root)
    {
        var (last, result, tokens) = Input(root);
        return new UpstreamAsk
        {
            Operation = UpstreamOperation.Responses,
            Model = AskText.String(root, "model") ?? "",
            Stream = root.TryGetProperty("stream", out var stream) && stream.ValueKind == JsonValueKind.True,
            MaxTokens = root.TryGetProperty("max_output_tokens", out var most) && most.TryGetInt32(out var number) ? number : null,
            LastUserText = last,
            ToolResult = result,
            PromptTokens = tokens + UpstreamAsk.CountWords(AskText.String(root, "instructions") ?? ""),
            Tool = ToolToCall(root, last, result),
            PreviousResponseId = AskText.String(root, "previous_response_id"),
        };
    }

    private static (string Last, string? Result, int Tokens) Input(JsonElement root)
    {
        var (last, result, tokens) = ("", (string?)null, 0);
        if (!root.TryGetProperty("input", out var input))
        {
            return (last, result, tokens);
        }

        if (input.ValueKind == JsonValueKind.String)
        {
            last = input.GetString()!;
            return (last, null, UpstreamAsk.CountWords(last));
        }

        foreach (var item in input.EnumerateArray())
        {
            var text = AskText.String(item, "output") ?? AskText.String(item, "arguments") ?? AskText.ContentOf(item);
            tokens += UpstreamAsk.CountWords(text);
            last = AskText.String(item, "role") == "user" ? text : last;
            result = AskText.String(item, "type") == "function_call_output" ? text : null;
        }

        return (last, result, tokens);
    }

    private static string? ToolToCall(JsonElement root, string last, string? result)
    {
        if (!root.TryGetProperty("tools", out var tools) || tools.ValueKind != JsonValueKind.Array || tools.GetArrayLength() == 0)
        {
            return null;
        }

        var choice = root.TryGetProperty("tool_choice", out var found) ? found : default;
        if (choice.ValueKind == JsonValueKind.Object)
        {
            return AskText.String(choice, "name");
        }

        var isRequired = choice.ValueKind == JsonValueKind.String && choice.ValueEquals("required");
        return isRequired || (result is null && last.Contains("call the tool", StringComparison.OrdinalIgnoreCase)) ? AskText.String(tools[0], "name") : null;
    }
}
