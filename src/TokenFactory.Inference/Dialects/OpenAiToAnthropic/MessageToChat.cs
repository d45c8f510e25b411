using System.Runtime.InteropServices;
using System.Text.Json;

namespace TokenFactory.Inference.Dialects.OpenAiToAnthropic;

/// <summary>Writes a message as a chat completion.</summary>
/// <param name="created">Unix seconds; a message does not say when it was made.</param>
internal sealed class MessageToChat(long created, BodyBudget budget) : WholeConverter(budget)
{
    protected override void Write(JsonElement root, Utf8JsonWriter json)
    {
        if (root.Get("content"u8) is not { ValueKind: JsonValueKind.Array } content || StopReasons.Of(root) is not { } finish)
        {
            throw new UnreadableAnswerException("the answer is no message");
        }

        json.WriteStartObject();
        json.CopyIfAny("id"u8, root.Get("id"u8));
        json.WriteString("object"u8, "chat.completion"u8);
        json.WriteNumber("created"u8, created);
        json.CopyIfAny("model"u8, root.Get("model"u8));
        json.WriteStartArray("choices"u8);
        json.WriteStartObject();
        json.WriteNumber("index"u8, 0);
        json.WriteStartObject("message"u8);
        json.WriteString("role"u8, "assistant"u8);
        Joined(json, "content"u8, content, "text"u8, orNull: true);
        Joined(json, "reasoning_content"u8, content, "thinking"u8, orNull: false);
        ToolCalls.Write(json, content);
        json.WriteNull("refusal"u8);
        json.WriteEndObject();
        json.WriteNull("logprobs"u8);
        json.WriteString("finish_reason"u8, finish);
        json.WriteEndObject();
        json.WriteEndArray();
        if (root.Get("usage"u8) is { } usage && MessageUsage.Parse(JsonMarshal.GetRawUtf8Value(usage)) is { } counted)
        {
            ChatUsage.Write(json, counted);
        }

        json.WriteEndObject();
    }

    protected override ReportedUsage? UsageOf(JsonElement root) =>
        root.Get("usage"u8) is { } usage && MessageUsage.Parse(JsonMarshal.GetRawUtf8Value(usage)) is { Output: not null } counted ? counted.ToReported() : null;

    /// <summary>One block's text goes over as it is; several are joined.</summary>
    private static void Joined(Utf8JsonWriter json, ReadOnlySpan<byte> name, JsonElement content, ReadOnlySpan<byte> kind, bool orNull)
    {
        var (count, first) = (0, default(JsonElement));
        foreach (var block in content.EnumerateArray())
        {
            if (block.Says("type"u8, kind) && block.Get(kind) is { ValueKind: JsonValueKind.String } text)
            {
                first = count++ == 0 ? text : first;
            }
        }

        switch (count)
        {
            case 0 when orNull:
                json.WriteNull(name);
                break;
            case 0:
                break;
            case 1:
                json.Copy(name, first);
                break;
            default:
                var joined = new System.Text.StringBuilder();
                foreach (var block in content.EnumerateArray())
                {
                    joined.Append(block.Says("type"u8, kind) ? block.Text(kind) : null);
                }

                json.WriteString(name, joined.ToString());
                break;
        }
    }
}
