using System.Text;
using System.Text.Json;
using TokenFactory.Inference.Dialects.Events;

namespace TokenFactory.Inference.Dialects.Responses;

/// <summary>
/// Puts the ids that the client knows in the place of the backend's: of the response itself, and of the one it goes on from. A backend's id
/// is worth something at that backend alone and says nothing of whose it is, so no client ever has one.
/// </summary>
/// <param name="sign">The backend's id → the client's.</param>
/// <param name="previous">The same of the response that this one goes on from; null where the client named none.</param>
internal sealed class ResponseIds(Func<string, string> sign, Func<string, string?> previous)
{
    // Deeper than any request that Intake takes, whose tools a response tells again.
    private const int DepthBound = 1000;

    // Longer than any server's; it becomes a part of every event that names it.
    private const int IdBoundBytes = 256;

    private readonly List<(int Start, int End, byte[] With)> _edits = [];
    private byte[] _last = [];
    private byte[] _lastSigned = [];

    /// <summary>What to replace in the JSON of a response or of an event about one, in order; valid until the next call. None where it is no JSON: whoever meters judges that.</summary>
    /// <exception cref="UnreadableAnswerException">An id is none.</exception>
    public IReadOnlyList<(int Start, int End, byte[] With)> Find(ReadOnlySpan<byte> json, bool isEvent)
    {
        _edits.Clear();
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = DepthBound });
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return _edits;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (!isEvent)
                {
                    Member(ref reader);
                }
                else if (reader.ValueTextEquals("response"u8) && reader.Read() && reader.TokenType == JsonTokenType.StartObject)
                {
                    while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                    {
                        Member(ref reader);
                    }
                }
                else
                {
                    reader.Skip();
                }
            }
        }
        catch (JsonException)
        {
            _edits.Clear();
        }

        return _edits;
    }

    /// <summary>Writes the bytes with the edits made.</summary>
    /// <param name="places">Where the JSON lies in the bytes; null where it is all of them.</param>
    public void Write(ReadOnlySpan<byte> bytes, EventFields? places, PooledBytes into)
    {
        var from = 0;
        foreach (var (start, end, with) in _edits)
        {
            into.Append(bytes[from..(places?.InEvent(start) ?? start)]);
            into.Append(with);
            from = (places?.InEvent(end - 1) ?? (end - 1)) + 1;
        }

        into.Append(bytes[from..]);
    }

    private void Member(ref Utf8JsonReader reader)
    {
        var isId = reader.ValueTextEquals("id"u8);
        var isPrevious = reader.ValueTextEquals("previous_response_id"u8);
        reader.Read();
        if ((!isId && !isPrevious) || reader.TokenType == JsonTokenType.Null)
        {
            reader.Skip();
            return;
        }

        if (reader.TokenType != JsonTokenType.String || reader.ValueSpan.Length is 0 or > IdBoundBytes || reader.ValueSpan.ContainsAnyExceptInRange((byte)'!', (byte)'~') || reader.ValueIsEscaped)
        {
            throw new UnreadableAnswerException("a response has an id that is none");
        }

        var (start, end) = ((int)reader.TokenStartIndex, (int)reader.BytesConsumed);
        if (isId)
        {
            _edits.Add((start, end, Signed(ref reader)));
        }
        else
        {
            // A backend that names one although the client named none has mixed conversations up: the client is not told whose.
            _edits.Add((start, end, previous(reader.GetString()!) is { } known ? Quoted(known) : "null"u8.ToArray()));
        }
    }

    private byte[] Signed(ref Utf8JsonReader reader)
    {
        if (!reader.ValueSpan.SequenceEqual(_last))
        {
            _last = reader.ValueSpan.ToArray();
            _lastSigned = Quoted(sign(reader.GetString()!));
        }

        return _lastSigned;
    }

    private static byte[] Quoted(string text) => Encoding.UTF8.GetBytes($"\"{JsonEncodedText.Encode(text)}\"");
}
