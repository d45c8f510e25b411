using System.Collections.Frozen;
using System.Text.Json;
using TokenFactory.Tokenizer;

namespace TokenFactory.Inference.Intake;

/// <summary>
/// Walks the <c>input</c> of OpenAI's Responses: a string or items. Refuses what would be looked up in a vendor's store, where the things of all
/// tenants of one credential lie together: references to items, files and containers by their id. A closed list of items, since one that nobody
/// here knows could be looked up too.
/// </summary>
internal ref struct InputItems
{
    private static readonly FrozenSet<string> _known = new[]
    {
        "message", "reasoning", "compaction", "function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output",
        "computer_call", "computer_call_output", "local_shell_call", "local_shell_call_output", "shell_call", "shell_call_output",
        "apply_patch_call", "apply_patch_call_output", "web_search_call", "code_interpreter_call",
    }.ToFrozenSet(StringComparer.Ordinal);

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
        string? type = null;
        var (hasRole, hasId, isWhole) = (false, false, false);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isType = json.ValueTextEquals("type"u8);
            var isRole = json.ValueTextEquals("role"u8);
            var isId = json.ValueTextEquals("id"u8);
            var isSealed = json.ValueTextEquals("encrypted_content"u8);
            var isNamed = IsNamed(ref json);
            json.Read();
            if ((isType || isRole) && json.TokenType != JsonTokenType.String)
            {
                return GatewayError.InvalidValue($"input[{index}]", "An item's 'type' and 'role' must be strings. Leave out what it has not.");
            }

            if (isType)
            {
                type = json.GetString();
            }

            hasRole |= isRole;
            hasId |= isId && json.TokenType != JsonTokenType.Null;
            isWhole |= isSealed && json.TokenType == JsonTokenType.String;
            if ((isNamed && json.TokenType != JsonTokenType.Null) || Value(ref json))
            {
                return Shared($"input[{index}]", "a file or a container by its id, or tools", "Send the file's own data or its URL.");
            }
        }

        if (type is null ? !hasRole : type == "item_reference")
        {
            return Shared($"input[{index}]", "an item by its id", "Send the item itself, or go on from 'previous_response_id'.");
        }

        if (type is "reasoning" or "compaction" && hasId && !isWhole)
        {
            return Shared($"input[{index}]", "an item by its id", "Send it with its 'encrypted_content', or without its 'id'.");
        }

        return type is null || _known.Contains(type) ? null : GatewayError.Unsupported($"input[{index}]",
            "The gateway does not know this type of item, so it cannot vouch for what a vendor would look up for it. Send messages, reasoning and the calls and outputs of tools.");
    }

    private static bool IsNamed(ref BodyJson json) =>
        json.ValueTextEquals("file_id"u8) || json.ValueTextEquals("container_id"u8) || json.ValueTextEquals("tools"u8);

    /// <summary>
    /// Counts the strings of a value; true when it names what the vendor keeps. What annotates an earlier answer only tells where it was taken from.
    /// </summary>
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
            else if (json.TokenType == JsonTokenType.PropertyName && IsNamed(ref json))
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
