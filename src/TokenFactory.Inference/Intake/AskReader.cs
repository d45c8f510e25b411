using System.Text.Json;
using System.Text.Unicode;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Intake;

/// <summary>
/// Reads what the gateway acts on out of a request body, in one forward pass and without a DOM. Refuses what two readers
/// could read differently: duplicate members that are acted on, invalid UTF-8, nesting past the bound, text after the value.
/// </summary>
internal ref struct AskReader
{
    private const int MaxChoices = 128;

    // No model writes as much; with it no product of tokens, choices and prices leaves 64 bits.
    private const long MaxOutput = 1_000_000_000;

    private readonly PooledBody _body;
    private readonly Operations _operation;
    private BodyJson _json;
    private Members _seen;

    private string? _model;
    private Range _modelRange;
    private bool _stream;
    private StreamOptions _streamOptions;
    private long? _maxTokens;
    private long? _maxCompletionTokens;
    private long? _choices;
    private long _inputBytes;
    private long _overhead;
    private long _givenTokens;
    private GovernanceReader? _metadata;

    private AskReader(PooledBody body, Operations operation, int maxDepth)
    {
        _body = body;
        _operation = operation;
        _json = new BodyJson(body.Span, new JsonReaderOptions { MaxDepth = maxDepth });
    }

    [Flags]
    private enum Members
    {
        None = 0,
        Model = 1,
        Stream = 2,
        StreamOptions = 4,
        MaxTokens = 8,
        MaxCompletionTokens = 16,
        Choices = 32,
        Input = 64,
        Metadata = 128,
    }

    public static (Ask? Ask, GatewayError? Error) Read(PooledBody body, Operations operation, int maxDepth)
    {
        if (!Utf8.IsValid(body.Span))
        {
            return (null, GatewayError.InvalidUtf8);
        }

        var reader = new AskReader(body, operation, maxDepth);
        try
        {
            return reader.ReadRoot() is { } error ? (null, error) : (reader.ToAsk(), null);
        }
        catch (InvalidOperationException)
        {
            // The reader's word for half of a surrogate pair, written as an escape.
            return (null, GatewayError.MalformedJson("a string holds half of a surrogate pair."));
        }
        catch (JsonException refusal)
        {
            var malformed = reader._json.Explain(refusal);
            var deep = malformed.Message.Contains("maximum configured depth", StringComparison.Ordinal);
            var place = $"line {malformed.LineNumber + 1}, byte {malformed.BytePositionInLine + 1}";
            return (null, GatewayError.MalformedJson(deep ? $"it is nested deeper than {maxDepth} levels, at {place}." : $"unexpected or missing text at {place}."));
        }
    }

    private GatewayError? ReadRoot()
    {
        _json.Read();
        if (_json.TokenType != JsonTokenType.StartObject)
        {
            return GatewayError.MalformedJson("it must be a JSON object.");
        }

        while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
        {
            if (ReadMember() is { } error)
            {
                return error;
            }
        }

        // A second value after the first makes the reader throw here.
        _json.Read();
        return Missing();
    }

    private GatewayError? ReadMember()
    {
        if (_json.ValueTextEquals("model"u8))
        {
            return Once(Members.Model, "model") ?? ReadModel();
        }

        if (_json.ValueTextEquals("stream"u8))
        {
            return Once(Members.Stream, "stream") ?? ReadBoolean("stream", out _stream);
        }

        if (_json.ValueTextEquals("stream_options"u8))
        {
            return Once(Members.StreamOptions, "stream_options") ?? ReadStreamOptions();
        }

        if (_json.ValueTextEquals("max_tokens"u8))
        {
            return Once(Members.MaxTokens, "max_tokens") ?? ReadCount("max_tokens", MaxOutput, out _maxTokens);
        }

        if (_json.ValueTextEquals("max_completion_tokens"u8))
        {
            return Once(Members.MaxCompletionTokens, "max_completion_tokens") ?? ReadCount("max_completion_tokens", MaxOutput, out _maxCompletionTokens);
        }

        if (_json.ValueTextEquals("n"u8))
        {
            return Once(Members.Choices, "n") ?? ReadCount("n", MaxChoices, out _choices);
        }

        if (_json.ValueTextEquals("metadata"u8))
        {
            return Once(Members.Metadata, "metadata") ?? ReadMetadata();
        }

        if (_json.ValueTextEquals("tools"u8) || _json.ValueTextEquals("functions"u8))
        {
            return ReadTools();
        }

        if (IsInput())
        {
            return Once(Members.Input, InputName) ?? ReadInput();
        }

        _json.Read();
        _json.Skip();
        return null;
    }

    private readonly string InputName => _operation switch
    {
        Operations.Chat => "messages",
        Operations.Completions => "prompt",
        _ => "input",
    };

    private readonly bool IsInput() => _operation switch
    {
        Operations.Chat => _json.ValueTextEquals("messages"u8),
        Operations.Completions => _json.ValueTextEquals("prompt"u8),
        _ => _json.ValueTextEquals("input"u8),
    };

    private GatewayError? Once(Members member, string name)
    {
        if (_seen.HasFlag(member))
        {
            return GatewayError.InvalidValue(name, $"'{name}' is given more than once. Give it once.");
        }

        _seen |= member;
        return null;
    }

    private readonly GatewayError? Missing()
    {
        if (_model is null)
        {
            return GatewayError.InvalidValue("model", "You must provide a 'model'. GET /v1/models lists what there is.");
        }

        return _seen.HasFlag(Members.Input) ? null : GatewayError.InvalidValue(InputName, $"You must provide '{InputName}'.");
    }

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

    private GatewayError? ReadInput()
    {
        _json.Read();
        var measure = new InputMeasure();
        var error = _operation == Operations.Chat ? measure.Messages(ref _json) : measure.Texts(ref _json, InputName);
        _inputBytes += measure.Bytes;
        _overhead += measure.OverheadTokens;
        _givenTokens += measure.GivenTokens;
        return error;
    }

    private readonly Ask ToAsk() => new()
    {
        Operation = _operation,
        Body = _body,
        Model = _model!,
        ModelRange = _modelRange,
        Stream = _stream && _operation != Operations.Embeddings,
        StreamOptions = _streamOptions,
        MaxOutputTokens = _maxCompletionTokens ?? _maxTokens,
        Choices = (int)(_choices ?? 1),
        InputBytes = _inputBytes,
        OverheadTokens = _overhead,
        GivenTokens = _givenTokens,
        Metadata = _metadata,
    };
}
