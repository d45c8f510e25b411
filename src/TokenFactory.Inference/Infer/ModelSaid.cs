using System.Text;
using System.Text.Json;
using TokenFactory.Inference.Dialects;

namespace TokenFactory.Inference.Infer;

/// <summary>Reads what a backend and its model said. Both may say anything, and none of it is this gateway's fault.</summary>
internal static class ModelSaid
{
    /// <summary>What the model said; nothing when it is no text.</summary>
    public static string TextOf(JsonElement said)
    {
        try
        {
            return InferAnswer.ChoiceOf(said)?.Get("message"u8)?.Text("content"u8) ?? "";
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair: a bound cut the model in the middle of a character.
            return "";
        }
    }

    public static IReadOnlyList<string> FaultsOf(InferPrompt prompt, JsonElement output)
    {
        try
        {
            return prompt.FaultsOf(output);
        }
        catch (InvalidOperationException)
        {
            return ["$: holds half of a character"];
        }
    }

    /// <summary>Models like to wrap JSON in a fence.</summary>
    public static JsonDocument? Unfenced(string text)
    {
        var json = text.AsSpan().Trim();
        if (json.Length > 6 && json.StartsWith("```", StringComparison.Ordinal) && json.EndsWith("```", StringComparison.Ordinal))
        {
            json = json[3..^3];
            json = json.StartsWith("json", StringComparison.OrdinalIgnoreCase) ? json[4..] : json;
        }

        return Parsed(Encoding.UTF8.GetBytes(json.ToString()));
    }

    public static JsonDocument? Parsed(ReadOnlyMemory<byte> json)
    {
        try
        {
            return JsonDocument.Parse(json);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
