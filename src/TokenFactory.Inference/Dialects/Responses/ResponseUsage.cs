using System.Text.Json;

namespace TokenFactory.Inference.Dialects.Responses;

/// <summary>Usage as OpenAI's Responses say it, which overlaps as in chat: cached lies inside the input, reasoning inside the output.</summary>
internal static class ResponseUsage
{
    /// <summary>Reads a usage object; null when it is none, or names no count we know.</summary>
    public static ReportedUsage? Parse(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        var usage = default(ReportedUsage);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return null;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                usage = With(usage, ref reader);
            }

            return usage == default ? null : usage;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static ReportedUsage With(ReportedUsage usage, ref Utf8JsonReader reader)
    {
        if (reader.ValueTextEquals("input_tokens"u8))
        {
            return usage with { PromptTokens = TokenNumber.Read(ref reader) };
        }

        if (reader.ValueTextEquals("output_tokens"u8))
        {
            return usage with { CompletionTokens = TokenNumber.Read(ref reader) };
        }

        if (!reader.ValueTextEquals("input_tokens_details"u8) && !reader.ValueTextEquals("output_tokens_details"u8))
        {
            TokenNumber.Pass(ref reader);
            return usage;
        }

        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return usage;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("cached_tokens"u8))
            {
                usage = usage with { CachedTokens = TokenNumber.Read(ref reader) };
            }
            else if (reader.ValueTextEquals("cache_write_tokens"u8))
            {
                usage = usage with { CacheWriteTokens = TokenNumber.Read(ref reader) };
            }
            else if (reader.ValueTextEquals("reasoning_tokens"u8))
            {
                usage = usage with { ReasoningTokens = TokenNumber.Read(ref reader) };
            }
            else
            {
                TokenNumber.Pass(ref reader);
            }
        }

        return usage;
    }
}
