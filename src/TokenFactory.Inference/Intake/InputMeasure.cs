using System.Text.Json;
using TokenFactory.Tokenizer;

namespace TokenFactory.Inference.Intake;

/// <summary>
/// Measures the input of a request without decoding it: bytes of text, tokens given as ids, and the tokens that the chat
/// form adds (OpenAI's published rule: three a message, one more when it is named, three to prime the reply).
/// </summary>
internal ref struct InputMeasure
{
    public long Bytes { get; private set; }

    public long GivenTokens { get; private set; }

    public long OverheadTokens { get; private set; }

    /// <summary>The reader stands on the value of <c>messages</c>.</summary>
    public GatewayError? Messages(ref BodyJson json)
    {
        if (json.TokenType != JsonTokenType.StartArray)
        {
            return GatewayError.InvalidValue("messages", "'messages' must be an array of message objects.");
        }

        OverheadTokens += ChatOverhead.TokensPerReply;
        var count = 0;
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType != JsonTokenType.StartObject)
            {
                return GatewayError.InvalidValue($"messages[{count}]", "Each message must be an object with 'role' and 'content'.");
            }

            count++;
            OverheadTokens += ChatOverhead.TokensPerMessage;
            Message(ref json);
        }

        return count == 0 ? GatewayError.InvalidValue("messages", "'messages' must hold at least one message.") : null;
    }

    /// <summary>The reader stands on the value of <c>system</c>: a string or text blocks.</summary>
    public GatewayError? System(ref BodyJson json)
    {
        if (json.TokenType is not (JsonTokenType.String or JsonTokenType.StartArray or JsonTokenType.Null))
        {
            return GatewayError.InvalidValue("system", "'system' must be a string or an array of text blocks.");
        }

        OverheadTokens += ChatOverhead.TokensPerMessage;
        Value(ref json);
        return null;
    }

    /// <summary>The reader stands on the <c>input</c> of a response: a string, or items.</summary>
    public GatewayError? Items(ref BodyJson json)
    {
        var items = new InputItems();
        var refusal = items.Read(ref json);
        Bytes += items.Bytes;
        OverheadTokens += items.OverheadTokens;
        return refusal;
    }

    /// <summary>The reader stands on the value of <c>instructions</c>: one message in front of the others, or null.</summary>
    public void Instructions(ref BodyJson json)
    {
        OverheadTokens += json.TokenType == JsonTokenType.String ? ChatOverhead.TokensPerMessage : 0;
        Value(ref json);
    }

    /// <summary>The reader stands on the value of <c>prompt</c> or <c>input</c>: a string, token ids, or an array of either.</summary>
    /// <param name="takesParts">Whether the array may hold content parts, as a moderation's may.</param>
    public GatewayError? Texts(ref BodyJson json, string param, bool takesParts = false)
    {
        switch (json.TokenType)
        {
            case JsonTokenType.String:
                Bytes += json.ValueBytes;
                return null;
            case JsonTokenType.StartArray:
                while (json.Read() && json.TokenType != JsonTokenType.EndArray)
                {
                    if (Element(ref json, param, takesParts) is { } error)
                    {
                        return error;
                    }
                }

                return null;
            case JsonTokenType.Null when param == "prompt":
                return null;
            default:
                return GatewayError.InvalidValue(param, $"'{param}' must be a string, an array of strings, or token ids.");
        }
    }

    private GatewayError? Element(ref BodyJson json, string param, bool takesParts)
    {
        switch (json.TokenType)
        {
            case JsonTokenType.String:
                Bytes += json.ValueBytes;
                return null;
            case JsonTokenType.Number:
                GivenTokens++;
                return null;
            case JsonTokenType.StartObject when takesParts:
                Value(ref json);
                return null;
            case JsonTokenType.StartArray:
                while (json.Read() && json.TokenType == JsonTokenType.Number)
                {
                    GivenTokens++;
                }

                return json.TokenType == JsonTokenType.EndArray ? null : Wrong(param);
            default:
                return Wrong(param);
        }
    }

    private static GatewayError Wrong(string param) =>
        GatewayError.InvalidValue(param, $"'{param}' must be a string, an array of strings, or token ids.");

    private void Message(ref BodyJson json)
    {
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("name"u8))
            {
                OverheadTokens += ChatOverhead.TokensPerName;
            }

            json.Read();
            Value(ref json);
        }
    }

    // Every string below a message counts: content, parts, names, tool calls. Inline images are bytes no tokenizer sees as
    // text, but a bound has to hold for them as well.
    private void Value(ref BodyJson json)
    {
        if (json.TokenType == JsonTokenType.String)
        {
            Bytes += json.ValueBytes;
            return;
        }

        if (json.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
        {
            return;
        }

        var depth = json.CurrentDepth;
        while (json.Read() && json.CurrentDepth > depth)
        {
            if (json.TokenType == JsonTokenType.String)
            {
                Bytes += json.ValueBytes;
            }
        }
    }
}
