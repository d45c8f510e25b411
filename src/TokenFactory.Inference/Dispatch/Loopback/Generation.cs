using System.Text.Json;

namespace TokenFactory.Inference.Dispatch.Loopback;

/// <summary>What both generating endpoints are asked in the same words.</summary>
internal sealed record Generation(string Model, int Choices, int MaxTokens, string[] Stops, bool Stream, bool IncludeUsage)
{
    /// <summary>As with real models, an answer has an end; it also bounds what 128 choices can cost.</summary>
    public const int MostTokens = 16_384;

    private const int MostChoices = 128;
    private const int MostStops = 4;

    public static Generation Read(Fields fields)
    {
        var stream = fields.Flag("stream");
        return new Generation(
            fields.Text("model"),
            fields.Whole("n", 1, MostChoices) ?? 1,
            MaxTokensOf(fields),
            [.. fields.TextOrTexts("stop", MostStops).Where(stop => stop.Length > 0)],
            stream,
            IncludesUsage(fields, stream));
    }

    // The newer name wins, as it does upstream. More than the model can write is not an error: it just ends before.
    private static int MaxTokensOf(Fields fields)
    {
        var older = fields.Whole("max_tokens", 1, int.MaxValue);
        var newer = fields.Whole("max_completion_tokens", 1, int.MaxValue);
        return Math.Min(newer ?? older ?? MostTokens, MostTokens);
    }

    private static bool IncludesUsage(Fields fields, bool stream)
    {
        if (!fields.TryGet("stream_options", out var options))
        {
            return false;
        }

        if (!stream || options.ValueKind != JsonValueKind.Object)
        {
            fields.Refuse("stream_options", "The 'stream_options' parameter is an object, and only allowed when 'stream' is enabled.");
            return false;
        }

        return options.TryGetProperty("include_usage", out var include) && include.ValueKind == JsonValueKind.True;
    }
}
