using System.Text.Json;

namespace TokenFactory.Inference.Dialects.OpenAiToAnthropic;

/// <summary>Writes usage in OpenAI's classes, in which the prompt holds what came from a cache and went to it.</summary>
internal static class ChatUsage
{
    public static void Write(Utf8JsonWriter json, MessageUsage usage)
    {
        var reported = usage.ToReported();
        json.WriteStartObject("usage"u8);
        json.WriteNumber("prompt_tokens"u8, reported.PromptTokens ?? 0);
        json.WriteNumber("completion_tokens"u8, reported.CompletionTokens ?? 0);
        json.WriteNumber("total_tokens"u8, (reported.PromptTokens ?? 0) + (reported.CompletionTokens ?? 0));
        if (reported.CachedTokens is not null || reported.CacheWriteTokens is not null)
        {
            json.WriteStartObject("prompt_tokens_details"u8);
            json.WriteNumber("cached_tokens"u8, reported.CachedTokens ?? 0);
            json.WriteNumber("cache_write_tokens"u8, reported.CacheWriteTokens ?? 0);
            json.WriteEndObject();
        }

        if (reported.ReasoningTokens is { } reasoning)
        {
            json.WriteStartObject("completion_tokens_details"u8);
            json.WriteNumber("reasoning_tokens"u8, reasoning);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }
}
