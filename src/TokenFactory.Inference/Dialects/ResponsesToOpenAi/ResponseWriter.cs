using System.Text.Json;

namespace TokenFactory.Inference.Dialects.ResponsesToOpenAi;

/// <summary>Writes the frame of a response around what a chat's answer says. Members that only repeat a request are there, for SDKs read them, at their defaults.</summary>
internal static class ResponseWriter
{
    /// <param name="reason">Why it is incomplete; empty when it is complete, null while it is being made.</param>
    /// <param name="items">Writes the output's items.</param>
    public static void Members(Utf8JsonWriter json, string id, long created, ReadOnlySpan<byte> model, string? reason, ReportedUsage? usage, Action<Utf8JsonWriter>? items)
    {
        json.WriteString("id"u8, id);
        json.WriteString("object"u8, "response"u8);
        json.WriteNumber("created_at"u8, created);
        json.WriteString("status"u8, StatusOf(reason));
        json.WriteBoolean("background"u8, false);
        json.WriteNull("error"u8);
        json.WritePropertyName("incomplete_details"u8);
        if (reason is { Length: > 0 })
        {
            json.WriteStartObject();
            json.WriteString("reason"u8, reason);
            json.WriteEndObject();
        }
        else
        {
            json.WriteNullValue();
        }

        json.WriteNull("instructions"u8);
        json.WritePropertyName("model"u8);
        json.WriteRawValue(model, skipInputValidation: true);
        json.WriteStartArray("output"u8);
        items?.Invoke(json);
        json.WriteEndArray();
        json.WriteBoolean("parallel_tool_calls"u8, true);
        json.WriteNull("previous_response_id"u8);
        json.WriteBoolean("store"u8, false);
        json.WriteString("tool_choice"u8, "auto"u8);
        json.WriteStartArray("tools"u8);
        json.WriteEndArray();
        json.WriteStartObject("metadata"u8);
        json.WriteEndObject();
        Usage(json, usage);
    }

    public static string StatusOf(string? reason) => reason switch
    {
        null => "in_progress",
        "" => "completed",
        _ => "incomplete",
    };

    private static void Usage(Utf8JsonWriter json, ReportedUsage? usage)
    {
        if (usage is not { } reported)
        {
            json.WriteNull("usage"u8);
            return;
        }

        json.WriteStartObject("usage"u8);
        json.WriteNumber("input_tokens"u8, reported.PromptTokens ?? 0);
        json.WriteStartObject("input_tokens_details"u8);
        json.WriteNumber("cached_tokens"u8, reported.CachedTokens ?? 0);
        json.WriteEndObject();
        json.WriteNumber("output_tokens"u8, reported.CompletionTokens ?? 0);
        json.WriteStartObject("output_tokens_details"u8);
        json.WriteNumber("reasoning_tokens"u8, reported.ReasoningTokens ?? 0);
        json.WriteEndObject();
        json.WriteNumber("total_tokens"u8, (reported.PromptTokens ?? 0) + (reported.CompletionTokens ?? 0));
        json.WriteEndObject();
    }
}
