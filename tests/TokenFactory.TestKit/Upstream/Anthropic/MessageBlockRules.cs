using System.Text.Json;
using System.Text.RegularExpressions;

namespace TokenFactory.TestKit.Upstream.Anthropic;

/// <summary>Content blocks, each by itself: the members of its type, and what they must hold.</summary>
internal static partial class MessageBlockRules
{
    private static readonly Dictionary<string, string[]> _members = new()
    {
        ["text"] = ["type", "text", "cache_control", "citations"],
        ["image"] = ["type", "source", "cache_control"],
        ["document"] = ["type", "source", "cache_control", "citations", "context", "title"],
        ["search_result"] = ["type", "source", "title", "content", "cache_control", "citations"],
        ["thinking"] = ["type", "thinking", "signature"],
        ["redacted_thinking"] = ["type", "data"],
        ["tool_use"] = ["type", "id", "name", "input", "cache_control", "caller", "toolset_name"],
        ["tool_result"] = ["type", "tool_use_id", "content", "is_error", "cache_control", "toolset_name"],
    };

    /// <param name="blocks">An array.</param>
    public static IEnumerable<string> Faults(JsonElement blocks, string path, params string[] types)
        => blocks.EnumerateArray().SelectMany((block, index) => Block(block, $"{path}.{index}", types));

    private static IEnumerable<string> Block(JsonElement block, string path, string[] types)
    {
        if (block.ValueKind != JsonValueKind.Object || AskText.String(block, "type") is not { } type)
        {
            return [$"{path}.type: Field required"];
        }

        return types.Contains(type)
            ? Shape.Extras(block, $"{path}.{type}.", _members[type]).Concat(Of(block, type, path + "." + type))
            : [$"{path}: Input tag '{type}' found using 'type' does not match any of the expected tags: {string.Join(", ", types.Select(tag => $"'{tag}'"))}"];
    }

    private static IEnumerable<string> Of(JsonElement block, string type, string path) => type switch
    {
        "text" => Text(block, path),
        "image" => Source(block, path, "base64", "url", "file"),
        "document" => Source(block, path, "base64", "url", "file", "text", "content"),
        "thinking" => Strings(block, path, "thinking", "signature"),
        "redacted_thinking" => Strings(block, path, "data"),
        "tool_use" => Strings(block, path, "id", "name").Concat(ToolUse(block, path)),
        "tool_result" => Strings(block, path, "tool_use_id").Concat(ToolResult(block, path)),
        _ => [],
    };

    private static IEnumerable<string> Strings(JsonElement block, string path, params string[] names)
        => names.Where(name => AskText.String(block, name) is null).Select(name => block.TryGetProperty(name, out _) ? $"{path}.{name}: Input should be a valid string" : $"{path}.{name}: Field required");

    private static IEnumerable<string> Text(JsonElement block, string path)
    {
        foreach (var fault in Strings(block, path, "text"))
        {
            yield return fault;
            yield break;
        }

        var text = AskText.String(block, "text")!;
        if (text.Length == 0)
        {
            yield return "messages: text content blocks must be non-empty";
        }
        else if (string.IsNullOrWhiteSpace(text))
        {
            yield return "messages: text content blocks must contain non-whitespace text";
        }
    }

    private static IEnumerable<string> Source(JsonElement block, string path, params string[] kinds)
    {
        if (!block.TryGetProperty("source", out var source))
        {
            return [$"{path}.source: Field required"];
        }

        var kind = AskText.String(source, "type");
        return kind switch
        {
            null => [$"{path}.source.type: Field required"],
            _ when !kinds.Contains(kind) => [$"{path}.source: Input tag '{kind}' found using 'type' does not match any of the expected tags: {string.Join(", ", kinds.Select(tag => $"'{tag}'"))}"],
            "base64" => Shape.Extras(source, $"{path}.source.base64.", "type", "media_type", "data").Concat(Base64(source, path)),
            "url" => Shape.Extras(source, $"{path}.source.url.", "type", "url").Concat(Strings(source, $"{path}.source.url", "url")),
            _ => [],
        };
    }

    private static IEnumerable<string> Base64(JsonElement source, string path)
    {
        if (AskText.String(source, "media_type") is not ("image/jpeg" or "image/png" or "image/gif" or "image/webp" or "application/pdf"))
        {
            yield return $"{path}.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'";
        }

        if (!source.TryGetProperty("data", out var data) || data.ValueKind != JsonValueKind.String || !data.TryGetBytesFromBase64(out var bytes) || bytes.Length == 0)
        {
            yield return $"{path}.source.base64: invalid base64 data";
        }
    }

    private static IEnumerable<string> ToolUse(JsonElement block, string path)
    {
        if (AskText.String(block, "id") is { } id && !Id.IsMatch(id))
        {
            yield return $"{path}.id: String should match pattern '^[a-zA-Z0-9_-]+$'";
        }

        if (!block.TryGetProperty("input", out var input))
        {
            yield return $"{path}.input: Field required";
        }
        else if (input.ValueKind != JsonValueKind.Object)
        {
            yield return $"{path}.input: Input should be an object";
        }
    }

    private static IEnumerable<string> ToolResult(JsonElement block, string path)
    {
        if (block.TryGetProperty("is_error", out var error) && error.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
        {
            yield return $"{path}.is_error: Input should be a valid boolean";
        }

        if (!block.TryGetProperty("content", out var content) || content.ValueKind == JsonValueKind.String)
        {
            yield break;
        }

        foreach (var fault in content.ValueKind == JsonValueKind.Array ? Faults(content, path + ".content", "text", "image", "search_result", "document") : [$"{path}.content: Input should be a valid list"])
        {
            yield return fault;
        }
    }

    [GeneratedRegex("^[a-zA-Z0-9_-]+$")]
    private static partial Regex Id { get; }
}
