using System.Runtime.InteropServices;
using System.Text.Json;

namespace TokenFactory.Inference.Dialects.AnthropicToOpenAi;

/// <summary>Writes a chat completion as a message.</summary>
internal sealed class ChatToMessage(BodyBudget budget) : WholeConverter(budget)
{
    protected override void Write(JsonElement root, Utf8JsonWriter json)
    {
        if (root.Get("choices"u8) is not { ValueKind: JsonValueKind.Array } choices || choices.GetArrayLength() == 0
            || choices[0].Get("message"u8) is not { } message || FinishReasons.Of(choices[0]) is not { } stop)
        {
            throw new UnreadableAnswerException("the answer is no chat completion");
        }

        json.WriteStartObject();
        json.CopyIfAny("id"u8, root.Get("id"u8));
        json.WriteString("type"u8, "message"u8);
        json.WriteString("role"u8, "assistant"u8);
        json.CopyIfAny("model"u8, root.Get("model"u8));
        json.WriteStartArray("content"u8);
        Thinking(json, message.Get("reasoning_content"u8) ?? message.Get("reasoning"u8));
        Text(json, message.Get("content"u8));
        Text(json, message.Get("refusal"u8));
        foreach (var call in message.Get("tool_calls"u8) is { ValueKind: JsonValueKind.Array } calls ? calls.EnumerateArray() : default)
        {
            ToolUse(json, call, wasCut: stop == "max_tokens");
        }

        json.WriteEndArray();
        json.WriteString("stop_reason"u8, stop);
        json.WritePropertyName("stop_sequence"u8);
        if (FinishReasons.StopSequence(choices[0]) is { } sequence)
        {
            json.Copy(sequence);
        }
        else
        {
            json.WriteNullValue();
        }

        MessageCounts.Write(json, root.Get("usage"u8) is { } usage ? ReportedUsage.Parse(JsonMarshal.GetRawUtf8Value(usage)) : null);
        json.WriteEndObject();
    }

    protected override ReportedUsage? UsageOf(JsonElement root) =>
        root.Get("usage"u8) is { } usage ? ReportedUsage.Parse(JsonMarshal.GetRawUtf8Value(usage)) : null;

    private static void Thinking(Utf8JsonWriter json, JsonElement? text)
    {
        if (text is { ValueKind: JsonValueKind.String } some && !some.IsEmptyText)
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "thinking"u8);
            json.Copy("thinking"u8, some);
            json.WriteString("signature"u8, ""u8);
            json.WriteEndObject();
        }
    }

    private static void Text(Utf8JsonWriter json, JsonElement? text)
    {
        if (text is { ValueKind: JsonValueKind.String } some && !some.IsEmptyText)
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "text"u8);
            json.Copy("text"u8, some);
            json.WriteEndObject();
        }
    }

    private static void ToolUse(Utf8JsonWriter json, JsonElement call, bool wasCut)
    {
        if (call.Get("function"u8) is not { } function || (wasCut && !IsWhole(function)))
        {
            return;
        }

        json.WriteStartObject();
        json.WriteString("type"u8, "tool_use"u8);
        json.CopyIfAny("id"u8, call.Get("id"u8));
        json.CopyIfAny("name"u8, function.Get("name"u8));
        json.WritePropertyName("input"u8);
        var arguments = function.Text("arguments"u8);
        if (function.Get("arguments"u8) is { ValueKind: JsonValueKind.Object } said)
        {
            // Some servers do not write them as a string.
            json.Copy(said);
        }
        else if (string.IsNullOrWhiteSpace(arguments))
        {
            json.WriteStartObject();
            json.WriteEndObject();
        }
        else
        {
            // Arguments that are no object cannot be said as one: then there is no answer, and the next candidate may be asked.
            using var parsed = JsonDocument.Parse(arguments);
            json.Copy(parsed.RootElement.ValueKind == JsonValueKind.Object ? parsed.RootElement : throw new UnreadableAnswerException("a tool is called without an object"));
        }

        json.WriteEndObject();
    }

    /// <summary>A bound that ends an answer may end it inside of a call's arguments: then it was not called.</summary>
    private static bool IsWhole(JsonElement function)
    {
        try
        {
            using var parsed = JsonDocument.Parse(function.Text("arguments"u8) ?? "{}");
            return parsed.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
