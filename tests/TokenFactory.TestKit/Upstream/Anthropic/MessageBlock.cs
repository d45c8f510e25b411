using System.Text.Json;
using System.Text.Json.Nodes;

namespace TokenFactory.TestKit.Upstream.Anthropic;

public enum MessageBlockKind
{
    Text,
    Thinking,
    RedactedThinking,
    ToolUse,
}

/// <summary>One content block of a message, in the pieces a stream sends it in: words of a text or a thought, fragments of a
/// tool's input that may break off anywhere.</summary>
public sealed record MessageBlock(MessageBlockKind Kind, IReadOnlyList<string> Pieces)
{
    /// <summary>The tool that is called.</summary>
    public string Tool { get; private init; } = "";

    public string Signature { get; private init; } = "";

    public string Whole => string.Concat(Pieces);

    public int Tokens => Kind == MessageBlockKind.RedactedThinking ? 0 : Pieces.Sum(UpstreamAsk.CountWords);

    public static MessageBlock Text(params string[] pieces) => new(MessageBlockKind.Text, pieces);

    public static MessageBlock Thought(params string[] pieces) => new(MessageBlockKind.Thinking, pieces) { Signature = "EqQBCgIYAhIMfake/signature+of==" };

    /// <summary>A thought that only the backend can read.</summary>
    public static MessageBlock Redacted(string data = "EmwKAhgBEgyfake+data==") => new(MessageBlockKind.RedactedThinking, [data]);

    public static MessageBlock Call(string tool, params string[] fragments) => new(MessageBlockKind.ToolUse, fragments) { Tool = tool };

    /// <summary>A tool's input as an object; what a limit of tokens broke off has none yet.</summary>
    public JsonNode Input()
    {
        try
        {
            return Whole.Length == 0 ? new JsonObject() : JsonNode.Parse(Whole)!;
        }
        catch (JsonException)
        {
            return new JsonObject();
        }
    }
}
