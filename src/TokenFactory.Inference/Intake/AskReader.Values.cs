using System.Text.Json;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Intake;

internal ref partial struct AskReader
{
    private GatewayError? ReadModel()
    {
        _json.Read();
        if (_json.TokenType != JsonTokenType.String)
        {
            return GatewayError.InvalidValue("model", "'model' must be a string.");
        }

        _modelRange = _json.Token;
        _model = _json.GetString();
        return _model is { Length: > 0 and <= 256 } && !HasControls(_model)
            ? null
            : GatewayError.InvalidValue("model", "'model' must have 1 to 256 characters, none of them a control character.");
    }

    /// <summary>What names something is kept and shown: a store may refuse such a character, a terminal may obey it.</summary>
    private static bool HasControls(string text) => text.AsSpan().ContainsAnyInRange('\0', '\x1f') || text.Contains('\x7f', StringComparison.Ordinal);

    private GatewayError? ReadBoolean(string name, out bool value)
    {
        _json.Read();
        value = _json.TokenType == JsonTokenType.True;
        return _json.TokenType is JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null
            ? null
            : GatewayError.InvalidValue(name, $"'{name}' must be true or false.");
    }

    private GatewayError? ReadCount(string name, long most, out long? value)
    {
        _json.Read();
        value = null;
        if (_json.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        if (_json.TokenType == JsonTokenType.Number && _json.TryGetInt64(out var number) && number >= 1 && number <= most)
        {
            value = number;
            return null;
        }

        return GatewayError.InvalidValue(name, $"'{name}' must be a whole number from 1 to {most}.");
    }

    private GatewayError? ReadStreamOptions()
    {
        _json.Read();
        var start = _json.Token.Start;
        if (_json.TokenType == JsonTokenType.Null)
        {
            _streamOptions = new StreamOptions(start.._json.Token.End, IsNull: true, IsEmpty: true, null, IncludeUsage: false);
            return null;
        }

        if (_json.TokenType != JsonTokenType.StartObject)
        {
            return GatewayError.InvalidValue("stream_options", "'stream_options' must be an object.");
        }

        Range? valueRange = null;
        var include = false;
        var empty = true;
        while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
        {
            empty = false;
            if (!_json.ValueTextEquals("include_usage"u8))
            {
                _json.Read();
                _json.Skip();
                continue;
            }

            if (valueRange is not null)
            {
                return GatewayError.InvalidValue("stream_options.include_usage", "'stream_options.include_usage' is given more than once. Give it once.");
            }

            if (ReadBoolean("stream_options.include_usage", out include) is { } error)
            {
                return error;
            }

            valueRange = _json.Token;
        }

        _streamOptions = new StreamOptions(start.._json.Token.End, IsNull: false, empty, valueRange, include);
        return null;
    }

    private GatewayError? ReadMetadata()
    {
        _json.Read();
        if (_json.TokenType != JsonTokenType.StartObject)
        {
            _json.Skip();
            return null;
        }

        while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
        {
            var field = GovernanceReader.FieldOf(ref _json);
            _json.Read();
            if (field < 0)
            {
                _json.Skip();
                continue;
            }

            if (_json.TokenType != JsonTokenType.String)
            {
                var name = GovernanceReader.MemberOf(field);
                return GatewayError.InvalidValue(name, $"'{name}' must be a string.");
            }

            _metadata ??= new GovernanceReader();
            if (_metadata.Member(field, _json.GetString()!) is { } error)
            {
                return error;
            }
        }

        return null;
    }

    /// <summary>Tool definitions are input too: backends write them into the prompt in a form of their own, so their JSON stands for it.</summary>
    private GatewayError? ReadTools()
    {
        _json.Read();
        var start = _json.Token.Start.Value;
        _json.Skip();
        _inputBytes += _json.Token.End.Value - start;
        return null;
    }

    private GatewayError? ReadSystem()
    {
        _json.Read();
        var measure = new InputMeasure();
        return measure.System(ref _json) ?? Add(measure);
    }

    private GatewayError? ReadInput()
    {
        _json.Read();
        var measure = new InputMeasure();
        var refusal = _operation switch
        {
            Operations.Chat => measure.Messages(ref _json),
            Operations.Responses => measure.Items(ref _json),
            _ => measure.Texts(ref _json, InputName, takesParts: _operation == Operations.Moderations),
        };
        return refusal ?? Add(measure);
    }

    private GatewayError? Add(InputMeasure measure)
    {
        _inputBytes += measure.Bytes;
        _overhead += measure.OverheadTokens;
        _givenTokens += measure.GivenTokens;
        return null;
    }
}
