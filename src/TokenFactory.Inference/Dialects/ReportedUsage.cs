using System.Text.Json;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference.Dialects;

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
            return this with { PromptTokens = TokenNumber.Read(ref reader) };
        }

        if (reader.ValueTextEquals("completion_tokens"u8))
        {
            return this with { CompletionTokens = TokenNumber.Read(ref reader) };
        }

        // DeepSeek and Moonshot say it beside, not in the details; the details win when both are there.
        if (reader.ValueTextEquals("prompt_cache_hit_tokens"u8) || reader.ValueTextEquals("cached_tokens"u8))
        {
            var cached = TokenNumber.Read(ref reader);
            return this with { CachedTokens = CachedTokens ?? cached };
        }

        // SGLang says it at the top.
        if (reader.ValueTextEquals("reasoning_tokens"u8))
        {
            var reasoning = TokenNumber.Read(ref reader);
            return this with { ReasoningTokens = ReasoningTokens ?? reasoning };
        }

        if (reader.ValueTextEquals("prompt_tokens_details"u8) || reader.ValueTextEquals("completion_tokens_details"u8))
        {
            return WithDetails(ref reader);
        }

        TokenNumber.Pass(ref reader);
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
                usage = usage with { CachedTokens = TokenNumber.Read(ref reader) ?? usage.CachedTokens };
            }
            else if (reader.ValueTextEquals("cache_write_tokens"u8))
            {
                usage = usage with { CacheWriteTokens = TokenNumber.Read(ref reader) };
            }
            else if (reader.ValueTextEquals("reasoning_tokens"u8))
            {
                usage = usage with { ReasoningTokens = TokenNumber.Read(ref reader) ?? usage.ReasoningTokens };
            }
            else
            {
                TokenNumber.Pass(ref reader);
            }
        }

        return usage;
    }

    private static bool Zero(long? count) => count is null or 0;
}
