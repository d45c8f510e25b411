using System.Text.Json;

namespace TokenFactory.Inference.Dialects;

/// <summary>
/// Usage as Anthropic's Messages say it: null is "not said". The classes do not overlap: <c>input_tokens</c> excludes what was read from
/// a cache and written to it. A stream says the input first and the output last, each time as a running total.
/// </summary>
internal readonly record struct MessageUsage(long? Uncached, long? CacheRead, long? CacheWrite, long? Output, long? Thinking)
{
    /// <summary>Reads a usage object; null when it is none, or names no count we know.</summary>
    public static MessageUsage? Parse(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        var usage = default(MessageUsage);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return null;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                usage = usage.With(ref reader);
            }

            return usage == default ? null : usage;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>What a later event said wins, but a zero there is a placeholder where an earlier one said more.</summary>
    public MessageUsage Then(MessageUsage later) => new(
        Last(Uncached, later.Uncached), Last(CacheRead, later.CacheRead), Last(CacheWrite, later.CacheWrite), Last(Output, later.Output), Last(Thinking, later.Thinking));

    /// <summary>In OpenAI's classes, which overlap.</summary>
    public ReportedUsage ToReported() => new(
        Uncached is null && CacheRead is null && CacheWrite is null ? null : (Uncached ?? 0) + (CacheRead ?? 0) + (CacheWrite ?? 0),
        Output, CacheRead, CacheWrite, Thinking);

    private static long? Last(long? earlier, long? later) => later is null or 0 ? earlier ?? later : later;

    private MessageUsage With(ref Utf8JsonReader reader)
    {
        if (reader.ValueTextEquals("input_tokens"u8))
        {
            return this with { Uncached = TokenNumber.Read(ref reader) };
        }

        if (reader.ValueTextEquals("cache_read_input_tokens"u8))
        {
            return this with { CacheRead = TokenNumber.Read(ref reader) };
        }

        if (reader.ValueTextEquals("cache_creation_input_tokens"u8))
        {
            return this with { CacheWrite = TokenNumber.Read(ref reader) };
        }

        if (reader.ValueTextEquals("output_tokens"u8))
        {
            return this with { Output = TokenNumber.Read(ref reader) };
        }

        if (!reader.ValueTextEquals("output_tokens_details"u8))
        {
            TokenNumber.Pass(ref reader);
            return this;
        }

        var usage = this;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return usage;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("thinking_tokens"u8))
            {
                usage = usage with { Thinking = TokenNumber.Read(ref reader) };
            }
            else
            {
                TokenNumber.Pass(ref reader);
            }
        }

        return usage;
    }
}
