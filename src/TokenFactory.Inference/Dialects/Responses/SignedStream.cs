using TokenFactory.Inference.Dialects.Events;

namespace TokenFactory.Inference.Dialects.Responses;

/// <summary>A stream of the client's own dialect in which only ids are replaced: every other byte is the backend's.</summary>
internal sealed class SignedStream(ResponseIds ids, BodyBudget budget) : AnswerConverter
{
    /// <summary>The largest event tells the whole response once more.</summary>
    public const int EventBoundBytes = 16 * 1024 * 1024;

    private readonly PooledBytes _out = new();
    // Whoever meters holds the last event once more, so room is kept to the stream's end.
    private readonly HeldBytes _event = new(budget, EventBoundBytes, forms: 6);
    private readonly EventFields _fields = new();
    private EventEnd _end;
    private bool _begun;

    public override bool IsClientsDialect => true;

    public override ReadOnlyMemory<byte> Feed(ReadOnlySpan<byte> bytes)
    {
        _out.Clear();
        while (!bytes.IsEmpty)
        {
            var length = _end.Find(bytes);
            var piece = length < 0 ? bytes : bytes[..length];
            bytes = bytes[piece.Length..];
            if (length >= 0 && _event.Count == 0)
            {
                _end.Next();
                Take(piece);
                continue;
            }

            _event.Append(piece);
            if (length >= 0)
            {
                _end.Next();
                Take(_event.Span);
                _event.Clear();
            }
        }

        return _out.Memory;
    }

    public override ReadOnlyMemory<byte> Complete()
    {
        _out.Clear();
        if (_event.Count > 0)
        {
            Take(_event.Span);
            _event.Clear();
        }

        return _out.Memory;
    }

    public override void Dispose()
    {
        _out.Dispose();
        _event.Dispose();
        _fields.Dispose();
    }

    private void Take(ReadOnlySpan<byte> text)
    {
        var isFirst = !_begun;
        _begun = true;

        // Nearly all events are pieces of text and name no response. In a text the closing quote would be escaped.
        if (text.IndexOf("\"response\""u8) < 0)
        {
            _out.Append(text);
            return;
        }

        _fields.Read(text, isFirst);
        ids.Find(_fields.HasData ? _fields.Payload : default, isEvent: true);
        ids.Write(text, _fields, _out);
    }
}
