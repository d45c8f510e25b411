using System.Runtime.InteropServices;
using System.Text.Json;

namespace TokenFactory.Inference.Dialects.ResponsesToOpenAi;

/// <summary>Writes a chat completion as a response.</summary>
/// <param name="created">Unix seconds.</param>
internal sealed class ChatToResponse(long created, BodyBudget budget) : WholeConverter(budget)
{
    protected override void Write(JsonElement root, Utf8JsonWriter json)
    {
        if (root.Get("choices"u8) is not { ValueKind: JsonValueKind.Array } choices || choices.GetArrayLength() == 0
            || choices[0].Get("message"u8) is not { } message || ResponseStatus.ReasonOf(choices[0]) is not { } reason)
        {
            throw new UnreadableAnswerException("the answer is no chat completion");
        }

        var id = ResponseId.Of(root);
        json.WriteStartObject();
        ResponseWriter.Members(json, id, created, ResponseId.ModelOf(root), reason, UsageOf(root), writer =>
        {
            var index = 0;
            Said(writer, ItemKind.Reasoning, message.Get("reasoning_content"u8) ?? message.Get("reasoning"u8), id, ref index, reason);
            Said(writer, ItemKind.Text, message.Get("content"u8), id, ref index, reason);
            Said(writer, ItemKind.Refusal, message.Get("refusal"u8), id, ref index, reason);
            foreach (var call in message.Get("tool_calls"u8) is { ValueKind: JsonValueKind.Array } calls ? calls.EnumerateArray() : default)
            {
                using var item = ResponseId.Call(call, index++, id);
                item.Write(writer, reason);
            }
        });
        json.WriteEndObject();
    }

    protected override ReportedUsage? UsageOf(JsonElement root) =>
        root.Get("usage"u8) is { } usage ? ReportedUsage.Parse(JsonMarshal.GetRawUtf8Value(usage)) : null;

    private static void Said(Utf8JsonWriter json, ItemKind kind, JsonElement? text, string id, ref int index, string reason)
    {
        if (text is { ValueKind: JsonValueKind.String } some && !some.IsEmptyText)
        {
            using var item = new AnswerItem(kind, index++, id);
            item.Append(ResponseId.Inside(some));
            item.Write(json, reason);
        }
    }
}
