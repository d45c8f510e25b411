using System.Buffers;
using System.Text.Json;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Tokenizer;

namespace TokenFactory.Inference.Intake;

/// <summary>Counts the input of a request with a tokenizer: a second pass over the body, made only when the answer depends on it.</summary>
internal static class InputCounter
{
    public static long Count(Ask ask, TokenEncoding encoding)
    {
        var json = new Utf8JsonReader(ask.Body.Span, new JsonReaderOptions { MaxDepth = 1000 });
        long tokens = ask.OverheadTokens + ask.GivenTokens;
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var wanted = ask.Operation switch
            {
                Operations.Chat => json.ValueTextEquals("messages"u8) || (ask.Dialect == Dialect.Anthropic && json.ValueTextEquals("system"u8)),
                Operations.Responses => json.ValueTextEquals("input"u8) || json.ValueTextEquals("instructions"u8),
                Operations.Completions => json.ValueTextEquals("prompt"u8),
                _ => json.ValueTextEquals("input"u8),
            };
            var tools = json.ValueTextEquals("tools"u8) || json.ValueTextEquals("functions"u8) || json.ValueTextEquals("response_format"u8) || json.ValueTextEquals("output_config"u8)
                || (ask.Operation == Operations.Responses && json.ValueTextEquals("text"u8));
            json.Read();
            if (wanted)
            {
                tokens += Strings(ref json, encoding);
            }
            else
            {
                var start = (int)json.TokenStartIndex;
                json.Skip();
                tokens += tools ? encoding.Count(ask.Body.Span[start..(int)json.BytesConsumed]) : 0;
            }
        }

        return tokens;
    }

    private static long Strings(ref Utf8JsonReader json, TokenEncoding encoding)
    {
        if (json.TokenType == JsonTokenType.String)
        {
            return String(ref json, encoding);
        }

        if (json.TokenType is not (JsonTokenType.StartArray or JsonTokenType.StartObject))
        {
            return 0;
        }

        long tokens = 0;
        var depth = json.CurrentDepth;
        while (json.Read() && json.CurrentDepth > depth)
        {
            if (json.TokenType == JsonTokenType.String)
            {
                tokens += String(ref json, encoding);
            }
        }

        return tokens;
    }

    private static int String(ref Utf8JsonReader json, TokenEncoding encoding)
    {
        if (!json.ValueIsEscaped)
        {
            return encoding.Count(json.ValueSpan);
        }

        var buffer = ArrayPool<byte>.Shared.Rent(json.ValueSpan.Length);
        try
        {
            var length = json.CopyString(buffer);
            return encoding.Count(buffer.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
