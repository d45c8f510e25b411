using System.Text.Json;

namespace TokenFactory.Inference.Dialects.AnthropicToOpenAi;

/// <summary>Writes usage in Anthropic's classes, in which the input excludes what came from a cache and went to it.</summary>
internal static class MessageCounts
{
    public static void Write(Utf8JsonWriter json, ReportedUsage? reported)
    {
        var usage = (reported ?? default).ToDisjoint();
        json.WriteStartObject("usage"u8);
        json.WriteNumber("input_tokens"u8, usage.InputUncached);
        json.WriteNumber("cache_creation_input_tokens"u8, usage.CacheWrite);
        json.WriteNumber("cache_read_input_tokens"u8, usage.CacheRead);
        json.WriteNumber("output_tokens"u8, usage.Output);
        if (reported?.ReasoningTokens is not null)
        {
            json.WriteStartObject("output_tokens_details"u8);
            json.WriteNumber("thinking_tokens"u8, usage.Reasoning);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }
}
