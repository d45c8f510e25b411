using System.Text.Json;
using TokenFactory.Tokenizer;

namespace TokenFactory.Inference.Intake;

/// <summary>
/// Walks the <c>input</c> of OpenAI's Responses: a string or items. Refuses what would be looked up in a vendor's store, where the things of all
/// tenants of one credential lie together: references to items, and files by their id.
/// </summary>
internal ref struct InputItems
{
    public long Bytes { get; private set; }

    public long OverheadTokens { get; private set; }

    public GatewayError? Read(ref BodyJson json)
    {
        OverheadTokens = ChatOverhead.TokensPerReply;
        switch (json.TokenType)
        {
            case JsonTokenType.String:
                OverheadTokens += ChatOverhead.TokensPerMessage;
                Bytes += json.ValueBytes;
                return null;
            case JsonTokenType.StartArray:
                break;
            default:
                return GatewayError.InvalidValue("input", "'input' must be a string or an array of items.");
        }

        for (var index = 0; json.Read() && json.TokenType != JsonTokenType.EndArray; index++)
        {
            if (json.TokenType != JsonTokenType.StartObject)
            {
                return GatewayError.InvalidValue($"input[{index}]", "Each item must be an object with a 'type' or a 'role'.");
            }

            OverheadTokens += ChatOverhead.TokensPerMessage;
            if (Item(ref json, index) is { } refusal)
            {
                return refusal;
            }
        }

        return null;
    }

    private GatewayError? Item(ref BodyJson json, int index)
    {
        var (isSomething, isReference) = (false, false);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isType = json.ValueTextEquals("type"u8);
            isSomething |= isType || json.ValueTextEquals("role"u8);
            json.Read();
            isReference |= isType && json.TokenType == JsonTokenType.String && json.ValueTextEquals("item_reference"u8);
            if (Value(ref json))
            {
                return Shared($"input[{index}]", "a file by its id", "Send the file's own data or its URL.");
            }
        }

        return isSomething && !isReference ? null : Shared($"input[{index}]", "an item by its id", "Send the item itself, or go on from 'previous_response_id'.");
    }

    /// <summary>Counts the strings of a value; true when it names a file of the vendor's. What annotates an earlier answer only tells where it was taken from.</summary>
    private bool Value(ref BodyJson json)
    {
        if (json.TokenType == JsonTokenType.String)
        {
            Bytes += json.ValueBytes;
            return false;
        }

        if (json.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
        {
            return false;
        }

        var depth = json.CurrentDepth;
        while (json.Read() && json.CurrentDepth > depth)
        {
            if (json.TokenType == JsonTokenType.String)
            {
                Bytes += json.ValueBytes;
            }
            else if (json.TokenType == JsonTokenType.PropertyName && json.ValueTextEquals("annotations"u8))
            {
                var start = json.Token.End.Value;
                json.Skip();
                Bytes += json.Token.End.Value - start;
            }
            else if (json.TokenType == JsonTokenType.PropertyName && json.ValueTextEquals("file_id"u8))
            {
                json.Read();
                if (json.TokenType != JsonTokenType.Null)
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static GatewayError Shared(string param, string what, string instead) => GatewayError.Unsupported(param,
        $"'{param}' names {what}, which the vendor keeps for all of the gateway's tenants together. {instead}");
}
