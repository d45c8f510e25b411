using System.Text.Json;
using TokenFactory.TestKit.Upstream.Anthropic;
using TokenFactory.TestKit.Upstream.Responses;

namespace TokenFactory.TestKit.Upstream;

public enum UpstreamOperation
{
    Other,
    Chat,
    Completions,
    Embeddings,
    Messages,
    CountTokens,
    Moderations,
    Responses,
}

/// <summary>What a request asks of the upstream, read the way a backend of its dialect reads it: OpenAI-compatible servers ignore
/// what they do not know, Anthropic refuses it (<see cref="Fault"/>).
/// Tokens are whitespace-separated words, so a test can count them by looking.</summary>
public sealed record UpstreamAsk
{
    public static readonly UpstreamAsk Nothing = new();

    public UpstreamOperation Operation { get; init; }

    public string Model { get; init; } = "";

    public bool Stream { get; init; }

    public bool IncludeUsage { get; init; }

    public bool ContinuousUsage { get; init; }

    public int? MaxTokens { get; init; }

    public int Choices { get; init; } = 1;

    /// <summary>The last user message (chat), the prompt (completions) or the first input (embeddings).</summary>
    public string LastUserText { get; init; } = "";

    /// <summary>The last result of a tool, when the conversation ends with one: a call for another turn of text.</summary>
    public string? ToolResult { get; init; }

    public int PromptTokens { get; init; }

    /// <summary>The tool the answer must call; null when the answer is text.</summary>
    public string? Tool { get; init; }

    /// <summary>What breaks the rules of a strict dialect; null when nothing does.</summary>
    public string? Fault { get; init; }

    public IReadOnlyList<string> StopSequences { get; init; } = [];

    /// <summary>The answer begins with its thoughts.</summary>
    public bool Thinks { get; init; }

    /// <summary>The response that this one goes on from; the upstream keeps every one that it gave.</summary>
    public string? PreviousResponseId { get; init; }

    public IReadOnlyList<string> Inputs { get; init; } = [];

    public int? Dimensions { get; init; }

    public bool Base64 { get; init; }

    public static int CountWords(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length;

    /// <returns>Null when the body is not a JSON object.</returns>
    public static UpstreamAsk? Parse(UpstreamOperation operation, ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            return root.ValueKind != JsonValueKind.Object ? null
                : operation is UpstreamOperation.Messages or UpstreamOperation.CountTokens ? MessageAsk.Read(operation, root)
                : operation == UpstreamOperation.Responses ? ResponseAsk.Read(root)
                : Read(operation, root);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static UpstreamAsk Read(UpstreamOperation operation, JsonElement root)
    {
        var prompt = AskText.Of(operation, root);
        var options = root.TryGetProperty("stream_options", out var found) && found.ValueKind == JsonValueKind.Object ? found : default;
        return new UpstreamAsk
        {
            Operation = operation,
            Model = AskText.String(root, "model") ?? "",
            Stream = True(root, "stream"),
            IncludeUsage = True(options, "include_usage"),
            ContinuousUsage = True(options, "continuous_usage_stats"),
            MaxTokens = Number(root, "max_completion_tokens") ?? Number(root, "max_tokens"),
            Choices = Math.Max(1, Number(root, "n") ?? 1),
            LastUserText = prompt.LastUserText,
            ToolResult = prompt.ToolResult,
            PromptTokens = prompt.Tokens,
            Tool = ToolToCall(root, prompt),
            Inputs = prompt.Inputs,
            Dimensions = Number(root, "dimensions"),
            Base64 = AskText.String(root, "encoding_format") == "base64",
        };
    }

    private static string? ToolToCall(JsonElement root, AskText prompt)
    {
        if (!root.TryGetProperty("tools", out var tools) || tools.ValueKind != JsonValueKind.Array || tools.GetArrayLength() == 0)
        {
            return null;
        }

        var choice = root.TryGetProperty("tool_choice", out var found) ? found : default;
        if (choice.ValueKind == JsonValueKind.Object)
        {
            return AskText.String(choice.GetProperty("function"), "name");
        }

        var required = choice.ValueKind == JsonValueKind.String && choice.ValueEquals("required");
        return required || (prompt.ToolResult is null && prompt.LastUserText.Contains("call the tool", StringComparison.OrdinalIgnoreCase))
            ? AskText.String(tools[0].GetProperty("function"), "name")
            : null;
    }

    private static bool True(JsonElement element, string name)
        => element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    private static int? Number(JsonElement element, string name)
        => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : null;
}
