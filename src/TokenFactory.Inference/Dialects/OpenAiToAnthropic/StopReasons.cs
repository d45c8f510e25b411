using System.Text.Json;

namespace TokenFactory.Inference.Dialects.OpenAiToAnthropic;

/// <summary>Why an answer ends, in OpenAI's words.</summary>
internal static class StopReasons
{
    /// <param name="reason">A <c>stop_reason</c>; one that is not known goes over as it is.</param>
    public static string Of(string reason) => reason switch
    {
        "end_turn" or "stop_sequence" or "pause_turn" => "stop",
        "max_tokens" or "model_context_window_exceeded" => "length",
        "tool_use" => "tool_calls",
        "refusal" => "content_filter",
        _ => reason,
    };

    public static string? Of(JsonElement holder) => holder.Text("stop_reason"u8) is { } reason ? Of(reason) : null;
}
