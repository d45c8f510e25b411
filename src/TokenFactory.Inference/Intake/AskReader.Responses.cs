using System.Text.Json;

namespace TokenFactory.Inference.Intake;

/// <summary>
/// The members of OpenAI's Responses. What would run on after the settlement, name what all tenants of one credential share, or send data to
/// a place that the caller chooses is refused by name: nobody could meter, separate or judge it (docs/api/protocol.md).
/// </summary>
internal ref partial struct AskReader
{
    private GatewayError? ReadResponsesMember()
    {
        if (_json.ValueTextEquals("max_output_tokens"u8))
        {
            return Once(Members.MaxTokens, "max_output_tokens") ?? ReadCount("max_output_tokens", MaxOutput, out _maxTokens);
        }

        if (_json.ValueTextEquals("previous_response_id"u8))
        {
            return Once(Members.Previous, "previous_response_id") ?? ReadPrevious();
        }

        if (_json.ValueTextEquals("instructions"u8))
        {
            return Once(Members.System, "instructions") ?? ReadInstructions();
        }

        if (_json.ValueTextEquals("tools"u8))
        {
            return Once(Members.Tools, "tools") ?? ReadHostedTools();
        }

        if (_json.ValueTextEquals("text"u8))
        {
            // The schema of an answer is written into the prompt.
            return ReadTools();
        }

        if (_json.ValueTextEquals("background"u8))
        {
            return Once(Members.Background, "background") ?? ReadBackground();
        }

        return _json.ValueTextEquals("conversation"u8) ? ReadShared("conversation")
            : _json.ValueTextEquals("prompt"u8) ? ReadShared("prompt")
            : Pass();
    }

    private GatewayError? ReadPrevious()
    {
        _json.Read();
        if (_json.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        if (_json.TokenType != JsonTokenType.String)
        {
            return GatewayError.InvalidValue("previous_response_id", "'previous_response_id' must be a string.");
        }

        _previousRange = _json.Token;
        _previous = _json.GetString();
        return null;
    }

    private GatewayError? ReadInstructions()
    {
        _json.Read();
        if (_json.TokenType is not (JsonTokenType.String or JsonTokenType.Null))
        {
            return GatewayError.InvalidValue("instructions", "'instructions' must be a string.");
        }

        var measure = new InputMeasure();
        measure.Instructions(ref _json);
        return Add(measure);
    }

    private GatewayError? ReadBackground() => ReadBoolean("background", out var isBackground) ?? (isBackground
        ? GatewayError.Unsupported("background", "'background' would run on after its usage is settled. Leave it out, and stream what takes long.")
        : null);

    /// <summary>What a vendor keeps for the gateway's one credential, whoever's it is.</summary>
    private GatewayError? ReadShared(string name)
    {
        Pass();
        return _json.TokenType == JsonTokenType.Null ? null
            : GatewayError.Unsupported(name, $"'{name}' names what the vendor keeps for all of the gateway's tenants together. Send what it holds in 'input' and 'instructions', or go on from 'previous_response_id'.");
    }

    private GatewayError? ReadHostedTools()
    {
        _json.Read();
        if (_json.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        if (_json.TokenType != JsonTokenType.StartArray)
        {
            return GatewayError.InvalidValue("tools", "'tools' must be an array.");
        }

        var start = _json.Token.Start.Value;
        for (var index = 0; _json.Read() && _json.TokenType != JsonTokenType.EndArray; index++)
        {
            if (_json.TokenType != JsonTokenType.StartObject)
            {
                return GatewayError.InvalidValue($"tools[{index}]", "Each tool must be an object with a 'type'.");
            }

            if (HostedTool.Judge(ref _json, index) is { } refusal)
            {
                return refusal;
            }
        }

        _inputBytes += _json.Token.End.Value - start;
        return null;
    }
}
