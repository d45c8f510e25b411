using System.Text.Json;

namespace TokenFactory.Inference.Dialects.AnthropicToOpenAi;

/// <summary>Why an answer ends, in Anthropic's words.</summary>
internal static class FinishReasons
{
    /// <summary>What a choice says of it; null while it says nothing.</summary>
    public static string? Of(JsonElement choice) => choice.Text("finish_reason"u8) switch
    {
        null or "" => null,
        "stop" when StopSequence(choice) is not null => "stop_sequence",
        "stop" or "eos_token" => "end_turn",
        "length" => "max_tokens",
        "tool_calls" or "function_call" => "tool_use",
        "content_filter" => "refusal",
        var other => other,
    };

    /// <summary>vLLM and SGLang say which sequence stopped an answer; OpenAI does not.</summary>
    public static JsonElement? StopSequence(JsonElement choice) =>
        !choice.Says("finish_reason"u8, "stop"u8) ? null
        : choice.Get("stop_reason"u8) is { ValueKind: JsonValueKind.String } stop ? stop
        : choice.Get("matched_stop"u8) is { ValueKind: JsonValueKind.String } matched ? matched
        : null;
}
