using System.Text.Json;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference.Metering.Scanning;

/// <summary>
/// What a backend said it used, as it said it: null is "not said", zero is "said zero". OpenAI's classes overlap: cached
/// and cache-write tokens lie inside the prompt, reasoning inside the completion.
/// </summary>
internal readonly record struct ReportedUsage(
    long? PromptTokens, long? CompletionTokens, long? CachedTokens, long? CacheWriteTokens, long? ReasoningTokens)
{
    public bool IsAllZero => Zero(PromptTokens) && Zero(CompletionTokens) && Zero(CachedTokens)
        && Zero(CacheWriteTokens) && Zero(ReasoningTokens);

    /// <summary>The disjoint classes of the ledger. Parts larger than their whole are cut to it; what was not said is zero.</summary>
    public TokenUsage ToDisjoint()
    {
        var prompt = PromptTokens ?? 0;
        var output = CompletionTokens ?? 0;
        var cached = Math.Min(CachedTokens ?? 0, prompt);
        var written = Math.Min(CacheWriteTokens ?? 0, prompt - cached);
        return new TokenUsage(prompt - cached - written, cached, written, output, Math.Min(ReasoningTokens ?? 0, output));
    }

    /// <summary>Reads a usage object; null when it is none, or names no count we know.</summary>
    public static ReportedUsage? Parse(ReadOnlySpan<byte> json) => Parse(json, out _);

    /// <param name="length">How long the object at the start of <paramref name="json"/> is; 0 when there is none.</param>
    public static ReportedUsage? Parse(ReadOnlySpan<byte> json, out int length)
    {
        length = 0;
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
                usage = usage.With(ref reader);
            }

            length = (int)reader.BytesConsumed;
            return usage == default ? null : usage;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private ReportedUsage With(ref Utf8JsonReader reader)
    {
        if (reader.ValueTextEquals("prompt_tokens"u8))
        {
            return this with { PromptTokens = Number(ref reader) };
        }

        if (reader.ValueTextEquals("completion_tokens"u8))
        {
            return this with { CompletionTokens = Number(ref reader) };
        }

        // DeepSeek and Moonshot say it beside, not in the details; the details win when both are there.
        if (reader.ValueTextEquals("prompt_cache_hit_tokens"u8) || reader.ValueTextEquals("cached_tokens"u8))
        {
            var cached = Number(ref reader);
            return this with { CachedTokens = CachedTokens ?? cached };
        }

        // SGLang says it at the top.
        if (reader.ValueTextEquals("reasoning_tokens"u8))
        {
            var reasoning = Number(ref reader);
            return this with { ReasoningTokens = ReasoningTokens ?? reasoning };
        }

        if (reader.ValueTextEquals("prompt_tokens_details"u8) || reader.ValueTextEquals("completion_tokens_details"u8))
        {
            return WithDetails(ref reader);
        }

        Pass(ref reader);
        return this;
    }

    private ReportedUsage WithDetails(ref Utf8JsonReader reader)
    {
        var usage = this;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return usage;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("cached_tokens"u8))
            {
                usage = usage with { CachedTokens = Number(ref reader) ?? usage.CachedTokens };
            }
            else if (reader.ValueTextEquals("cache_write_tokens"u8))
            {
                usage = usage with { CacheWriteTokens = Number(ref reader) };
            }
            else if (reader.ValueTextEquals("reasoning_tokens"u8))
            {
                usage = usage with { ReasoningTokens = Number(ref reader) ?? usage.ReasoningTokens };
            }
            else
            {
                Pass(ref reader);
            }
        }

        return usage;
    }

    /// <summary>A count, or null: negative, fractional and absurd numbers say nothing, and billing must not guess from them.</summary>
    private static long? Number(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.Number)
        {
            reader.Skip();
            return null;
        }

        if (reader.TryGetInt64(out var whole))
        {
            return whole is >= 0 and <= int.MaxValue ? whole : null;
        }

        // Some servers write 12.0.
        return reader.TryGetDecimal(out var number) && number is >= 0 and <= int.MaxValue && decimal.IsInteger(number)
            ? (long)number
            : null;
    }

    private static void Pass(ref Utf8JsonReader reader)
    {
        reader.Read();
        reader.Skip();
    }

    private static bool Zero(long? count) => count is null or 0;
}
