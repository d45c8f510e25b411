using System.Text.Json;

namespace TokenFactory.Inference.Metering.Scanning;

/// <summary>
/// Reads one whole chunk of a stream, strictly: what it finds is where things are, so that nothing is copied. Reused from
/// event to event.
/// </summary>
/// <param name="root">What the payload is: it tells the dialect.</param>
internal sealed class ChunkReader(Place root)
{
    // A response tells the tools of its request again, whose schemas may be as deep as a request may be.
    private const int Depth = 128;
    private const int KeyBoundBytes = 64;

    private readonly List<Hole> _holes = [];
    private readonly List<Hole> _finishes = [];
    private readonly List<(int Start, int End)> _cuts = [];
    private int _choice;
    private int _choiceHoles;
    private int _choiceFinishes;
    private bool _sawReasoning;
    private int _choices;
    private int _cutFrom;
    private int _keptEnd;
    private int _valueEnd;
    private bool _saysMore;
    private bool _hasUsage;

    /// <summary>What may differ in the next chunk of the same shape, in order.</summary>
    public List<Hole> Holes => _holes;

    public List<Hole> Finishes => _finishes;

    /// <summary>Where the chunk names its model; empty when it does not.</summary>
    public Hole Model { get; private set; }

    public Hole Fingerprint { get; private set; }

    /// <summary>What to leave out to make the chunk one that never had a usage member, in order.</summary>
    public List<(int Start, int End)> Cuts => _cuts;

    public bool IsError { get; private set; }

    /// <summary>The last event of a stream whose dialect says so in an event.</summary>
    public bool IsDone { get; private set; }

    public bool HasChoices { get; private set; }

    public bool HasUsage => _hasUsage;

    /// <summary>The extra chunk that exists only to carry usage.</summary>
    public bool IsUsageOnly => _hasUsage && _choices == 0 && !_saysMore;

    /// <summary>False when the payload is no JSON object.</summary>
    public bool Read(ReadOnlySpan<byte> payload)
    {
        Reset();
        var reader = new Utf8JsonReader(payload, new JsonReaderOptions { MaxDepth = Depth });
        try
        {
            if (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
            {
                Walk(ref reader);
                return true;
            }
        }
        catch (JsonException)
        {
            // Not ours to repair: the client gets the bytes as they came.
        }

        Reset();
        return false;
    }

    private void Walk(ref Utf8JsonReader reader)
    {
        Span<Place> inside = stackalloc Place[Depth + 2];
        inside[1] = root;
        while (reader.Read())
        {
            var depth = reader.CurrentDepth;
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    var place = Member(inside[depth], ref reader);
                    if (depth == 1)
                    {
                        NextMember(place, (int)reader.TokenStartIndex);
                    }

                    reader.Read();
                    Value(ref reader, place, inside);
                    break;
                case JsonTokenType.EndObject when inside[depth + 1] == Place.Choice:
                    EndChoice();
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    break;
                default:
                    Value(ref reader, Places.Element(inside[depth]), inside);
                    break;
            }

            if (reader.CurrentDepth == 1)
            {
                _valueEnd = (int)reader.BytesConsumed;
            }
        }

        if (_cutFrom >= 0)
        {
            _cuts.Add((_keptEnd > 0 ? _keptEnd : _cutFrom, _valueEnd));
        }
    }

    private void Value(ref Utf8JsonReader reader, Place place, scoped Span<Place> inside)
    {
        var start = (int)reader.TokenStartIndex;
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject or JsonTokenType.StartArray:
                var enter = Places.Enter(place, reader.TokenType == JsonTokenType.StartObject);
                if (enter != Place.Other)
                {
                    inside[reader.CurrentDepth + 1] = enter;
                    Begin(enter);
                    return;
                }

                var isObject = reader.TokenType == JsonTokenType.StartObject;
                reader.Skip();
                IsError |= place == Place.Error && isObject;
                _saysMore |= place == Place.Other && reader.CurrentDepth == 1;
                if (place is Place.Usage or Place.InputUsage && isObject)
                {
                    _hasUsage = true;
                    _holes.Add(new Hole(place == Place.Usage ? HoleKind.Usage : HoleKind.InputUsage, start, (int)reader.BytesConsumed - start));
                }

                break;
            case JsonTokenType.String:
                String(ref reader, place, new Hole(HoleKind.String, start + 1, reader.ValueSpan.Length));
                break;
            case JsonTokenType.Number when place == Place.Index:
                _choice = reader.TryGetInt32(out var index) && index >= 0 ? index : _choice;
                break;
            case JsonTokenType.Number when place == Place.Varying && !reader.ValueSpan.ContainsAnyExceptInRange((byte)'0', (byte)'9'):
                _holes.Add(new Hole(HoleKind.Number, start, reader.ValueSpan.Length));
                break;
            default:
                _saysMore |= place == Place.Other && reader.CurrentDepth == 1 && reader.TokenType != JsonTokenType.Null;
                break;
        }
    }

    private void String(ref Utf8JsonReader reader, Place place, Hole hole)
    {
        switch (place)
        {
            case Place.Text:
                _holes.Add(hole with { Kind = HoleKind.Text });
                break;
            case Place.Reasoning:
                _holes.Add(hole with { Kind = _sawReasoning ? HoleKind.String : HoleKind.Text });
                _sawReasoning = true;
                break;
            case Place.Varying:
                _holes.Add(hole);
                break;
            case Place.Model:
                Model = hole;
                break;
            case Place.Fingerprint:
                Fingerprint = hole;
                break;
            case Place.Finish when hole.Length > 0:
                _finishes.Add(hole);
                break;
            case Place.Error:
                IsError |= hole.Length > 0;
                break;
            case Place.Object when root == Place.Response:
                ResponseEvent(ref reader, hole);
                break;
            case Place.Object:
                IsError |= reader.ValueTextEquals("error"u8);
                IsDone |= root == Place.Message && reader.ValueTextEquals("message_stop"u8);
                break;
            default:
                _saysMore |= place == Place.Other && reader.CurrentDepth == 1;
                break;
        }
    }

    /// <summary>A response that is incomplete is whole: a bound on the answer cut it. One that failed is an error, whatever was said before.</summary>
    private void ResponseEvent(ref Utf8JsonReader reader, Hole type)
    {
        IsError |= reader.ValueTextEquals("error"u8) || reader.ValueTextEquals("response.failed"u8);
        if (reader.ValueTextEquals("response.completed"u8) || reader.ValueTextEquals("response.incomplete"u8))
        {
            IsDone = true;
            _finishes.Add(type);
        }
    }

    private void Begin(Place place)
    {
        switch (place)
        {
            case Place.Choices or Place.Blocks or Place.BlockDelta:
                HasChoices = true;
                break;
            case Place.Choice:
                _choice = _choices++;
                _choiceHoles = _holes.Count;
                _choiceFinishes = _finishes.Count;
                break;
            case Place.Delta:
                _sawReasoning = false;
                break;
            default:
                break;
        }
    }

    /// <summary>Only now is the index known for sure: members may come in any order.</summary>
    private void EndChoice()
    {
        for (var at = _choiceHoles; at < _holes.Count; at++)
        {
            _holes[at] = _holes[at] with { Choice = _choice };
        }

        for (var at = _choiceFinishes; at < _finishes.Count; at++)
        {
            _finishes[at] = _finishes[at] with { Choice = _choice };
        }
    }

    /// <summary>A usage member goes with the comma after it; the last one with the comma before.</summary>
    private void NextMember(Place place, int start)
    {
        if (place == Place.Usage)
        {
            _cutFrom = _cutFrom < 0 ? start : _cutFrom;
            _keptEnd = _cutFrom == start ? _valueEnd : _keptEnd;
            return;
        }

        if (_cutFrom >= 0)
        {
            _cuts.Add((_cutFrom, start));
            _cutFrom = -1;
        }
    }

    private static Place Member(Place parent, ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped)
        {
            return Places.Member(parent, reader.ValueSpan);
        }

        Span<byte> key = stackalloc byte[KeyBoundBytes];
        return reader.ValueSpan.Length > key.Length ? Place.Other : Places.Member(parent, key[..reader.CopyString(key)]);
    }

    private void Reset()
    {
        _holes.Clear();
        _finishes.Clear();
        _cuts.Clear();
        _choices = 0;
        _cutFrom = -1;
        _keptEnd = 0;
        _valueEnd = 0;
        _sawReasoning = false;
        _saysMore = false;
        IsError = false;
        IsDone = false;
        HasChoices = false;
        _hasUsage = false;
        (Model, Fingerprint) = (default, default);
    }
}
