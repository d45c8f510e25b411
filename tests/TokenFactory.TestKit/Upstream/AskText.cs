using System.Text;
using System.Text.Json;

namespace TokenFactory.TestKit.Upstream;

/// <summary>The text of a request, wherever the dialect puts it, and its count of words.</summary>
internal readonly record struct AskText(string LastUserText, int Tokens, IReadOnlyList<string> Inputs, string? ToolResult = null)
{
    public static AskText Of(UpstreamOperation operation, JsonElement root) => operation switch
    {
        UpstreamOperation.Chat => OfMessages(root),
        UpstreamOperation.Completions => OfInputs(root, "prompt"),
        UpstreamOperation.Embeddings or UpstreamOperation.Moderations => OfInputs(root, "input"),
        _ => new AskText("", 0, []),
    };

    public static string? String(JsonElement element, string name)
        => element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    private static AskText OfMessages(JsonElement root)
    {
        var (last, tokens, result) = ("", 0, (string?)null);
        if (!root.TryGetProperty("messages", out var messages) || messages.ValueKind != JsonValueKind.Array)
        {
            return new AskText(last, tokens, []);
        }

        foreach (var message in messages.EnumerateArray())
        {
            var text = ContentOf(message);
            tokens += UpstreamAsk.CountWords(text);
            last = String(message, "role") == "user" ? text : last;
            result = String(message, "role") == "tool" ? text : null;
        }

        return new AskText(last, tokens, [], result);
    }

    public static string ContentOf(JsonElement message)
    {
        if (message.ValueKind != JsonValueKind.Object || !message.TryGetProperty("content", out var content))
        {
            return "";
        }

        if (content.ValueKind != JsonValueKind.Array)
        {
            return content.ValueKind == JsonValueKind.String ? content.GetString()! : "";
        }

        var joined = new StringBuilder();
        foreach (var part in content.EnumerateArray())
        {
            joined.Append(joined.Length == 0 ? "" : " ").Append(String(part, "text"));
        }

        return joined.ToString();
    }

    private static AskText OfInputs(JsonElement root, string name)
    {
        if (!root.TryGetProperty(name, out var input))
        {
            return new AskText("", 0, []);
        }

        if (input.ValueKind == JsonValueKind.String)
        {
            var text = input.GetString()!;
            return new AskText(text, UpstreamAsk.CountWords(text), [text]);
        }

        if (input.ValueKind != JsonValueKind.Array || input.GetArrayLength() == 0)
        {
            return new AskText("", 0, []);
        }

        if (input[0].ValueKind == JsonValueKind.Number)
        {
            return new AskText(input.GetRawText(), input.GetArrayLength(), [input.GetRawText()]);
        }

        var inputs = input.EnumerateArray().Select(one => one.ValueKind == JsonValueKind.String ? one.GetString()! : one.GetRawText()).ToList();
        var tokens = input.EnumerateArray().Sum(one => one.ValueKind == JsonValueKind.Array ? one.GetArrayLength() : UpstreamAsk.CountWords(one.ToString()));
        return new AskText(inputs[^1], tokens, inputs);
    }
}
