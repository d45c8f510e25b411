using System.Buffers;
using System.Text.Json;

namespace TokenFactory.Inference.Intake;

/// <summary>
/// A <see cref="Utf8JsonReader"/> over a request body that steps over long strings in one vectorised pass. The plain reader
/// walks every string that holds an escape byte by byte, and a long prompt always holds one. It judges exactly as the plain
/// reader does: a string this one cannot vouch for is left to it. Positions in a <see cref="JsonException"/> do not count
/// what was stepped over: <see cref="Explain"/> gives the true ones.
/// </summary>
internal ref struct BodyJson
{
    // Shorter strings are left to the plain reader: it is as fast as stepping over them.
    private const int LongBytes = 128;

    private static readonly SearchValues<byte> _special = SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(control => (byte)control), (byte)'"', (byte)'\\']);
    private static readonly SearchValues<byte> _simpleEscapes = SearchValues.Create("\"\\/bfnrt"u8);
    private static readonly SearchValues<byte> _hex = SearchValues.Create("0123456789abcdefABCDEF"u8);

    private readonly ReadOnlySpan<byte> _body;
    private readonly JsonReaderOptions _options;
    private Utf8JsonReader _json;

    // Where the plain reader's present text begins in the body.
    private int _origin;

    // The long string the reader stands on; empty when it stands on any other token.
    private Range _long;
    private bool _onLong;

    public BodyJson(ReadOnlySpan<byte> body, JsonReaderOptions options)
    {
        _body = body;
        _options = options;
        _json = new Utf8JsonReader(body, options);
    }

    public readonly JsonTokenType TokenType => _json.TokenType;

    public readonly int CurrentDepth => _json.CurrentDepth;

    /// <summary>Where the token lies in the body, quotes included.</summary>
    public readonly Range Token => _onLong ? _long : (_origin + (int)_json.TokenStartIndex)..(_origin + (int)_json.BytesConsumed);

    /// <summary>Bytes of the token as sent, without quotes and before unescaping.</summary>
    public readonly int ValueBytes => _onLong ? _long.End.Value - _long.Start.Value - 2 : _json.ValueSpan.Length;

    public bool Read()
    {
        if (_onLong)
        {
            _origin = _long.End.Value;
            _json = new Utf8JsonReader(_body[_origin..], isFinalBlock: true, _json.CurrentState);
            _onLong = false;
        }

        return StepOverLongString() || _json.Read();
    }

    /// <summary>Goes to the end of the value the reader stands on, or before which it stands.</summary>
    public void Skip()
    {
        if (TokenType == JsonTokenType.PropertyName)
        {
            Read();
        }

        if (TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
        {
            return;
        }

        for (var depth = CurrentDepth; Read() && CurrentDepth > depth;)
        {
        }
    }

    public readonly bool ValueTextEquals(ReadOnlySpan<byte> text) => !_onLong && _json.ValueTextEquals(text);

    public readonly bool TryGetInt64(out long value) => _json.TryGetInt64(out value);

    public readonly string? GetString()
    {
        if (!_onLong)
        {
            return _json.GetString();
        }

        var alone = new Utf8JsonReader(_body[_long]);
        alone.Read();
        return alone.GetString();
    }

    /// <summary>The plain reader's own complaint about a body that was refused.</summary>
    public readonly JsonException Explain(JsonException refusal)
    {
        var plain = new Utf8JsonReader(_body, _options);
        try
        {
            while (plain.Read())
            {
            }

            return refusal;
        }
        catch (JsonException exact)
        {
            return exact;
        }
    }

    private bool StepOverLongString()
    {
        var at = _origin + (int)_json.BytesConsumed;
        SkipSpace(ref at);
        var afterComma = at < _body.Length && _body[at] == ',';
        if (afterComma)
        {
            at++;
            SkipSpace(ref at);
        }

        if (_body.Length - at <= LongBytes || _body[at] != '"')
        {
            return false;
        }

        var end = StringEnd(at + 1);
        if (end - at <= LongBytes)
        {
            return false;
        }

        // The plain reader keeps the grammar: in the string's place it reads an empty one. Where a name is due that is not
        // enough for it, since a name wants its colon, and it reads the name itself.
        var instead = new Utf8JsonReader(afterComma ? ",\"\""u8 : "\"\""u8, isFinalBlock: false, _json.CurrentState);
        try
        {
            if (!instead.Read())
            {
                return false;
            }
        }
        catch (JsonException)
        {
            // It does not belong here; the plain reader will say so where it stands.
            return false;
        }

        _json = instead;
        _long = at..end;
        _onLong = true;
        return true;
    }

    private readonly void SkipSpace(ref int at)
    {
        while (at < _body.Length && _body[at] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
        {
            at++;
        }
    }

    /// <summary>The index after the quote that ends the string whose inside starts at <paramref name="at"/>; -1 when it is not a well-formed one.</summary>
    private readonly int StringEnd(int at)
    {
        while (true)
        {
            var next = _body[at..].IndexOfAny(_special);
            if (next < 0)
            {
                return -1;
            }

            at += next;
            if (_body[at] == '"')
            {
                return at + 1;
            }

            var escape = _body[at..];
            if (escape[0] != '\\' || escape.Length < 6)
            {
                return -1;
            }

            if (_simpleEscapes.Contains(escape[1]))
            {
                at += 2;
            }
            else if (escape[1] == 'u' && !escape.Slice(2, 4).ContainsAnyExcept(_hex))
            {
                at += 6;
            }
            else
            {
                return -1;
            }
        }
    }
}
