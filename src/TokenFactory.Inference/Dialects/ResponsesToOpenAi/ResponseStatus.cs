using System.Text.Json;

namespace TokenFactory.Inference.Dialects.ResponsesToOpenAi;

/// <summary>Why a chat's answer ended, in the words of a response: it is complete, or incomplete and for what reason.</summary>
internal static class ResponseStatus
{
    /// <summary>Null while the choice does not say that it has finished; an empty reason is none: the response is complete.</summary>
    public static string? ReasonOf(JsonElement choice) => choice.Text("finish_reason"u8) switch
    {
        null or "" => null,
        "length" => "max_output_tokens",
        "content_filter" => "content_filter",
        _ => "",
    };
}
