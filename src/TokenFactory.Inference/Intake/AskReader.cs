using System.Text.Json;
using System.Text.Unicode;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Intake;

/// <summary>
/// Reads what the gateway acts on out of a request body, in one forward pass and without a DOM. Refuses what two readers
/// could read differently: duplicate members that are acted on, invalid UTF-8, nesting past the bound, text after the value.
/// </summary>
internal ref partial struct AskReader
{
    private const int MaxChoices = 128;

    // No model writes as much; with it no product of tokens, choices and prices leaves 64 bits.
    private const long MaxOutput = 1_000_000_000;

    private readonly PooledBody _body;
    private readonly Operations _operation;
    private readonly Dialect _dialect;
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
    private string? _previous;
    private Range _previousRange;

    private AskReader(PooledBody body, Operations operation, Dialect dialect, int maxDepth)
    {
        _body = body;
        _operation = operation;
        _dialect = dialect;
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
        System = 256,
        Previous = 512,
        Tools = 1024,
        Background = 2048,
    }

    /// <param name="countsOnly">Nothing is to be answered, so a bound on the answer need not be there.</param>
    public static (Ask? Ask, GatewayError? Error) Read(PooledBody body, Operations operation, int maxDepth, Dialect dialect = Dialect.OpenAi, bool countsOnly = false)
    {
        if (!Utf8.IsValid(body.Span))
        {
            return (null, GatewayError.InvalidUtf8);
        }

        if (!Surrogates.ArePaired(body.Span))
        {
            return (null, GatewayError.MalformedJson("a string holds half of a surrogate pair."));
        }

        var reader = new AskReader(body, operation, dialect, maxDepth);
        try
        {
            return reader.ReadRoot(countsOnly) is { } error ? (null, error) : (reader.ToAsk(), null);
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

    private GatewayError? ReadRoot(bool countsOnly)
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

        // Whoever reads a member stops at its end: else what follows would not be read by anybody here, and by the backend all the same.
        if (_json.TokenType != JsonTokenType.EndObject || _json.CurrentDepth != 0)
        {
            throw new System.Diagnostics.UnreachableException($"the reading of a request's members ended at depth {_json.CurrentDepth}");
        }

        // A second value after the first makes the reader throw here.
        _json.Read();
        return Missing(countsOnly);
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

        if (_json.ValueTextEquals("metadata"u8))
        {
            return Once(Members.Metadata, "metadata") ?? ReadMetadata();
        }

        if (IsInput())
        {
            return Once(Members.Input, InputName) ?? ReadInput();
        }

        return _dialect == Dialect.Responses ? ReadResponsesMember() : ReadMessagesMember();
    }

    private GatewayError? ReadMessagesMember()
    {
        if (_json.ValueTextEquals("max_tokens"u8))
        {
            return Once(Members.MaxTokens, "max_tokens") ?? ReadCount("max_tokens", MaxOutput, out _maxTokens);
        }

        if (_json.ValueTextEquals("tools"u8) || _json.ValueTextEquals("response_format"u8) || _json.ValueTextEquals("output_config"u8))
        {
            return ReadTools();
        }

        return _dialect == Dialect.Anthropic ? ReadAnthropicMember() : ReadOpenAiMember();
    }

    private GatewayError? ReadAnthropicMember()
    {
        if (_json.ValueTextEquals("system"u8))
        {
            return Once(Members.System, "system") ?? ReadSystem();
        }

        // Where a request is served is the policy's to say, on every hop.
        return _json.ValueTextEquals("inference_geo"u8) ? ReadNothing("inference_geo") : _json.ValueTextEquals("mcp_servers"u8) ? ReadNothing("mcp_servers") : Pass();
    }

    private GatewayError? ReadNothing(string name)
    {
        Pass();
        return _json.TokenType == JsonTokenType.Null ? null
            : GatewayError.InvalidValue(name, $"'{name}' would send data to a place that the policy has not judged. Leave it out; where a request is served is told by region and provider.");
    }

    private GatewayError? ReadOpenAiMember()
    {
        if (_json.ValueTextEquals("stream_options"u8))
        {
            return Once(Members.StreamOptions, "stream_options") ?? ReadStreamOptions();
        }

        if (_json.ValueTextEquals("max_completion_tokens"u8))
        {
            return Once(Members.MaxCompletionTokens, "max_completion_tokens") ?? ReadCount("max_completion_tokens", MaxOutput, out _maxCompletionTokens);
        }

        if (_json.ValueTextEquals("n"u8))
        {
            return Once(Members.Choices, "n") ?? ReadCount("n", MaxChoices, out _choices);
        }

        return _json.ValueTextEquals("functions"u8) ? ReadTools() : Pass();
    }

    private GatewayError? Pass()
    {
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

    private readonly GatewayError? Missing(bool countsOnly)
    {
        if (_model is null)
        {
            return GatewayError.InvalidValue("model", "You must provide a 'model'. GET /v1/models lists what there is.");
        }

        if (!_seen.HasFlag(Members.Input) && _previous is null)
        {
            return GatewayError.InvalidValue(InputName, $"You must provide '{InputName}'.");
        }

        return _dialect == Dialect.Anthropic && _maxTokens is null && !countsOnly
            ? GatewayError.InvalidValue("max_tokens", "You must provide 'max_tokens', the most tokens that the answer may have.")
            : null;
    }

    private readonly Ask ToAsk() => new()
    {
        Operation = _operation,
        Dialect = _dialect,
        Body = _body,
        Model = _model!,
        ModelRange = _modelRange,
        Stream = _stream && _operation.WritesText,
        StreamOptions = _streamOptions,
        MaxOutputTokens = _maxCompletionTokens ?? _maxTokens,
        Choices = (int)(_choices ?? 1),
        InputBytes = _inputBytes,
        OverheadTokens = _overhead,
        GivenTokens = _givenTokens,
        Metadata = _metadata,
        PreviousResponseId = _previous,
        PreviousRange = _previousRange,
    };
}
