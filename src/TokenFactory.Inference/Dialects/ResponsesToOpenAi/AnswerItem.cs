using System.Text.Json;
using TokenFactory.Inference.Dialects.Events;

namespace TokenFactory.Inference.Dialects.ResponsesToOpenAi;

internal enum ItemKind
{
    Text,
    Refusal,
    Reasoning,
    Call,
}

/// <summary>One item of a response that is made out of a chat's answer: what was said of it so far, as the bytes it came as.</summary>
internal sealed class AnswerItem(ItemKind kind, int index, string responseId) : IDisposable
{
    private readonly PooledBytes _text = new();

    public ItemKind Kind => kind;

    public int Index => index;

    public string Id { get; } = $"{Prefix(kind)}_{responseId}_{index}";

    /// <summary>What the chat calls a call, and the function that is called; JSON strings.</summary>
    public byte[] CallId { get; init; } = "\"\""u8.ToArray();

    public byte[] Name { get; init; } = "\"\""u8.ToArray();

    /// <summary>What the events of its text are called, before the kind of event.</summary>
    public string Event => kind switch
    {
        ItemKind.Text => "response.output_text",
        ItemKind.Refusal => "response.refusal",
        ItemKind.Reasoning => "response.reasoning_text",
        _ => "response.function_call_arguments",
    };

    /// <summary>The member that all of its text stands in.</summary>
    public string Member => kind switch
    {
        ItemKind.Refusal => "refusal",
        ItemKind.Call => "arguments",
        _ => "text",
    };

    /// <param name="raw">The inside of a JSON string.</param>
    public void Append(ReadOnlySpan<byte> raw) => _text.Append(raw);

    public void WriteText(Utf8JsonWriter json)
    {
        using var quoted = new PooledBytes();
        quoted.Append("\""u8);
        quoted.Append(_text.Span);
        quoted.Append("\""u8);
        json.WriteRawValue(quoted.Span, skipInputValidation: true);
    }

    /// <param name="reason">As the response's; null while the item is being made, and then it has no text yet.</param>
    public void Write(Utf8JsonWriter json, string? reason)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, Id);
        json.WriteString("type"u8, kind switch { ItemKind.Call => "function_call", ItemKind.Reasoning => "reasoning", _ => "message" });
        json.WriteString("status"u8, ResponseWriter.StatusOf(reason));
        switch (kind)
        {
            case ItemKind.Call:
                json.WritePropertyName("call_id"u8);
                json.WriteRawValue(CallId, skipInputValidation: true);
                json.WritePropertyName("name"u8);
                json.WriteRawValue(Name, skipInputValidation: true);
                json.WritePropertyName("arguments"u8);
                WriteText(json);
                break;
            case ItemKind.Reasoning:
                json.WriteStartArray("summary"u8);
                json.WriteEndArray();
                Content(json, reason);
                break;
            default:
                json.WriteString("role"u8, "assistant"u8);
                Content(json, reason);
                break;
        }

        json.WriteEndObject();
    }

    public void WritePart(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, kind switch { ItemKind.Text => "output_text", ItemKind.Refusal => "refusal", _ => "reasoning_text" });
        if (kind == ItemKind.Text)
        {
            json.WriteStartArray("annotations"u8);
            json.WriteEndArray();
            json.WriteStartArray("logprobs"u8);
            json.WriteEndArray();
        }

        json.WritePropertyName(Member);
        WriteText(json);
        json.WriteEndObject();
    }

    public void Dispose() => _text.Dispose();

    private void Content(Utf8JsonWriter json, string? reason)
    {
        json.WriteStartArray("content"u8);
        if (reason is not null)
        {
            WritePart(json);
        }

        json.WriteEndArray();
    }

    private static string Prefix(ItemKind kind) => kind switch
    {
        ItemKind.Call => "fc",
        ItemKind.Reasoning => "rs",
        _ => "msg",
    };
}
