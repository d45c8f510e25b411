using System.Buffers;
using TokenFactory.Inference.Dialects.Events;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Metering.Scanning;

/// <summary>
/// Walks JSON of any size in pieces of any size with a few hundred bytes of memory, and puts what it meets on
/// <see cref="Findings"/>. It follows brackets and strings and is lenient about the rest: for bodies and frames too large
/// to hold, where the strict reader cannot go. A choice's index counts for the members that come after it.
/// </summary>
/// <param name="stopsAtError">Nothing after an error is walked: of what flows to the client nothing more may pass. A body that is held is
/// walked to its end, for a response that failed reports its usage after its error.</param>
internal sealed class JsonWalker(Findings findings, Dialect dialect = Dialect.OpenAi, bool stopsAtError = true) : IDisposable
{
    private const int DepthBound = 64;
    private const int ShortBoundBytes = ReportedNames.BoundBytes;
    private const int UsageBoundBytes = 8 * 1024;

    private static readonly SearchValues<byte> _structure = SearchValues.Create("\"{}[],"u8);
    private static readonly SearchValues<byte> _brackets = SearchValues.Create("\"{}[]"u8);

    private readonly Place _root = Places.RootOf(dialect);
    private readonly Place[] _inside = new Place[DepthBound];
    private readonly byte[] _short = new byte[ShortBoundBytes];
    private readonly PooledBytes _usage = new();
    private int _shortLength;
    private ulong _objects;
    private int _depth;
    private Place _place;
    private bool _expectsKey;
    private bool _inString;
    private bool _inKey;
    private bool _escaped;
    private int _usageDepth;
    private bool _knowsOutput;
    private int _inputDepth;
    private int _choice;
    private int _choices;
    private bool _sawReasoning;
    private bool _begun;
    private bool _malformed;

    public bool HasChoices { get; private set; }

    /// <summary>The answer is, or holds, an error.</summary>
    public bool SawError { get; private set; }

    /// <summary>One object, closed, and nothing after it.</summary>
    public bool IsWholeObject => _begun && _depth == 0 && !_malformed;

    private bool HasStopped => SawError && stopsAtError;

    /// <summary>Returns how much it walked: less than all only where it stopped at an error.</summary>
    public int Feed(ReadOnlySpan<byte> json)
    {
        var at = 0;
        while (at < json.Length && !HasStopped)
        {
            var from = at;
            var inUsage = _usageDepth > 0;
            at = _inString ? InString(json, at) : _depth == 0 ? Outside(json, at) : Between(json, at);
            if (inUsage)
            {
                KeepUsage(json[from..at]);
            }

            if (_inputDepth > 0)
            {
                KeepInput(json[from..at]);
            }
        }

        return at;
    }

    public void Reset()
    {
        (_depth, _objects, _choices, _usageDepth, _inputDepth) = (0, 0, 0, 0, 0);
        (_place, _inString, _expectsKey, _begun, _malformed, _escaped) = (Place.Other, false, false, false, false, false);
        (HasChoices, SawError) = (false, false);
    }

    public void Dispose() => _usage.Dispose();

    private int Outside(ReadOnlySpan<byte> json, int at)
    {
        var next = json[at..].IndexOfAnyExcept(" \t\r\n"u8);
        if (next < 0)
        {
            return json.Length;
        }

        at += next;
        if (_malformed || _begun || json[at] != '{')
        {
            _malformed = true;
            return json.Length;
        }

        _begun = true;
        _place = _root;
        Open(isObject: true);
        return at + 1;
    }

    private int Between(ReadOnlySpan<byte> json, int at)
    {
        // In a part nobody reads (an embedding's numbers) only what changes the depth matters.
        var skipping = _depth >= DepthBound || _inside[_depth] == Place.Other;
        var next = json[at..].IndexOfAny(skipping ? _brackets : _structure);
        var end = next < 0 ? json.Length : at + next;
        if (_place == Place.Index)
        {
            Index(json[at..end]);
        }

        if (next < 0)
        {
            return end;
        }

        switch (json[end])
        {
            case (byte)'"':
                _inString = true;
                _inKey = _expectsKey;
                _shortLength = 0;
                break;
            case (byte)',':
                _expectsKey = IsObject(_depth);
                _place = _expectsKey ? Place.Other : Places.Element(_inside[_depth]);
                break;
            case (byte)'{' or (byte)'[':
                Open(json[end] == '{');
                break;
            default:
                Close(json[end] == '}');
                break;
        }

        return end + 1;
    }

    private void Open(bool isObject)
    {
        var enter = _place == _root ? _root : Places.Enter(_place, isObject);
        SawError |= _place == Place.Error && isObject;
        if (_place == Place.Input && _inputDepth == 0)
        {
            _inputDepth = _depth + 1;
        }

        if (_place is Place.Usage or Place.InputUsage && isObject && _usageDepth == 0)
        {
            _usageDepth = _depth + 1;
            _knowsOutput = _place == Place.Usage;
            _usage.Clear();
            _usage.Append("{"u8);
        }

        _depth++;
        if (_depth >= DepthBound)
        {
            return;
        }

        _inside[_depth] = enter;
        _objects = isObject ? _objects | (1UL << _depth) : _objects & ~(1UL << _depth);
        _expectsKey = isObject && enter != Place.Other;
        _place = isObject ? Place.Other : Places.Element(enter);
        HasChoices |= enter is Place.Choices or Place.Blocks;
        _choice = enter == Place.Choice ? _choices++ : _choice;
        _sawReasoning &= enter != Place.Delta;
    }

    private void Close(bool isObject)
    {
        _malformed |= _depth < DepthBound && IsObject(_depth) != isObject;
        _depth--;
        _place = Place.Other;
        _expectsKey = false;
    }

    private int InString(ReadOnlySpan<byte> json, int at)
    {
        if (_place == Place.Error && !_inKey && json[at] != '"')
        {
            SawError = true;
            if (stopsAtError)
            {
                return at;
            }
        }

        var end = at + (_escaped ? 1 : 0);
        _escaped = false;
        while (end < json.Length)
        {
            var next = json[end..].IndexOfAny((byte)'"', (byte)'\\');
            if (next < 0)
            {
                break;
            }

            end += next;
            if (json[end] == '"')
            {
                Piece(json[at..end]);
                EndString();
                return end + 1;
            }

            end += 2;
            _escaped = end > json.Length;
        }

        Piece(json[at..]);
        return json.Length;
    }

    private void Piece(ReadOnlySpan<byte> piece)
    {
        if (piece.IsEmpty)
        {
            return;
        }

        if (_inKey || _place is Place.Finish or Place.Object or Place.Model or Place.Fingerprint)
        {
            // One byte short of too long is enough to know that it is no word we read.
            var kept = piece[..Math.Min(piece.Length, ShortBoundBytes - _shortLength)];
            kept.CopyTo(_short.AsSpan(_shortLength));
            _shortLength += kept.Length;
        }
        else if (_place == Place.Text || (_place == Place.Reasoning && !_sawReasoning))
        {
            findings.Delivered(_choice, piece);
        }
    }

    private void EndString()
    {
        _inString = false;
        var word = _short.AsSpan(0, _shortLength);
        if (_inKey)
        {
            _inKey = false;
            _expectsKey = false;
            _place = Places.Member(_inside[_depth], word);
            _choice = _place == Place.Index ? 0 : _choice;
            return;
        }

        if (_place == Place.Finish && word.Length > 0)
        {
            findings.Finished(_choice, word);
        }

        if (_place is Place.Model or Place.Fingerprint)
        {
            findings.Named(_place == Place.Model ? word : default, _place == Place.Fingerprint ? word : default);
        }

        SawError |= _place == Place.Object && word.SequenceEqual("error"u8);
        _sawReasoning |= _place == Place.Reasoning;
        _place = Place.Other;
    }

    private void Index(ReadOnlySpan<byte> digits)
    {
        foreach (var digit in digits)
        {
            if (digit is >= (byte)'0' and <= (byte)'9')
            {
                _choice = Math.Min((_choice * 10) + digit - '0', 10_000);
            }
        }
    }

    private void KeepUsage(ReadOnlySpan<byte> piece)
    {
        if (_usage.Count + piece.Length > UsageBoundBytes)
        {
            _usageDepth = 0;
            return;
        }

        _usage.Append(piece);
        if (_depth < _usageDepth)
        {
            _usageDepth = 0;
            findings.Reported(_usage.Span, dialect, _knowsOutput);
        }
    }

    private void KeepInput(ReadOnlySpan<byte> piece)
    {
        findings.Delivered(_choice, piece);
        _inputDepth = _depth < _inputDepth ? 0 : _inputDepth;
    }

    private bool IsObject(int depth) => (_objects & (1UL << depth)) != 0;
}
