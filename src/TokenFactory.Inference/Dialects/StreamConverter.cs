using System.Buffers;
using System.Text.Json;
using TokenFactory.Inference.Dialects.Events;

namespace TokenFactory.Inference.Dialects;

/// <summary>Converts a stream of server-sent events, event by event: one event may make none, one or several.</summary>
internal abstract class StreamConverter : AnswerConverter
{
    // The largest event of a stream is a tool call said at once.
    private const int EventBoundBytes = 16 * 1024 * 1024;
    private const int UsualBytes = 4096;

    private readonly HeldBytes _event;
    private readonly EventFields _fields = new();
    private readonly Utf8JsonWriter _json;
    private ArrayBufferWriter<byte> _out = new(UsualBytes);
    private EventEnd _end;
    private bool _begun;

    protected StreamConverter(BodyBudget budget)
    {
        // As a tree it takes four times its size, unless it is nothing but brackets and digits.
        _event = new HeldBytes(budget, EventBoundBytes, forms: 7);
        _json = new Utf8JsonWriter(_out, Json.Written);
    }

    public override ReadOnlyMemory<byte> Feed(ReadOnlySpan<byte> bytes)
    {
        Reset();
        while (!bytes.IsEmpty)
        {
            var length = _end.Find(bytes);
            var piece = length < 0 ? bytes : bytes[..length];
            _event.Append(piece);
            bytes = bytes[piece.Length..];
            if (length >= 0)
            {
                _end.Next();
                TakeAndClear();
            }
        }

        return _out.WrittenMemory;
    }

    /// <summary>An event without its blank line still counts when it is whole, as clients read it.</summary>
    public override ReadOnlyMemory<byte> Complete()
    {
        Reset();
        if (_event.Count > 0)
        {
            TakeAndClear();
        }

        return _out.WrittenMemory;
    }

    public override void Dispose()
    {
        _event.Dispose();
        _fields.Dispose();
        _json.Dispose();
    }

    /// <summary>Data that is no JSON: OpenAI's terminator.</summary>
    protected abstract void Words(ReadOnlySpan<byte> data);

    protected abstract void Event(JsonElement data);

    /// <summary>A keep-alive: whoever has its own leaves it out.</summary>
    protected virtual void Comment(ReadOnlySpan<byte> text)
    {
    }

    /// <summary>What <see cref="Begin"/> returned last.</summary>
    protected Utf8JsonWriter Written => _json;

    /// <summary>Writes one event in front of what is written of it.</summary>
    /// <param name="name">Its <c>event:</c> line; empty writes none.</param>
    protected Utf8JsonWriter Begin(ReadOnlySpan<byte> name)
    {
        if (!name.IsEmpty)
        {
            _out.Write("event: "u8);
            _out.Write(name);
            _out.Write("\n"u8);
        }

        _out.Write("data: "u8);
        _json.Reset();
        _json.WriteStartObject();
        return _json;
    }

    protected void End()
    {
        _json.WriteEndObject();
        _json.Flush();
        _out.Write("\n\n"u8);
    }

    protected void Say(ReadOnlySpan<byte> text) => _out.Write(text);

    private void Reset()
    {
        if (_event.GiveBack())
        {
            _fields.Dispose();
            _out = new ArrayBufferWriter<byte>(UsualBytes);
            _json.Reset(_out);
            return;
        }

        _out.ResetWrittenCount();
    }

    private void TakeAndClear()
    {
        try
        {
            Take();
        }
        finally
        {
            _event.Clear();
        }
    }

    private void Take()
    {
        _fields.Read(_event.Span, isFirst: !_begun);
        _begun = true;
        if (_fields.HasData)
        {
            Data(_fields.PayloadMemory);
        }
        else if (_event.Span[0] == '{')
        {
            // A proxy that gave up writes its error into the stream as a bare line.
            _out.Write(_event.Span);
        }
        else if (_event.Span[0] == ':')
        {
            Comment(_event.Span);
        }
    }

    /// <summary>In either dialect an event of this name is an error, whatever shape its words have. A line end in JSON is a space.</summary>
    private void Fail(ReadOnlySpan<byte> words)
    {
        _out.Write("event: error\ndata: "u8);
        var line = _out.GetSpan(words.Length)[..words.Length];
        words.Replace(line, (byte)'\n', (byte)' ');
        _out.Advance(words.Length);
        _out.Write("\n\n"u8);
    }

    private void Data(ReadOnlyMemory<byte> data)
    {
        if (data.IsEmpty || data.Span[0] != '{')
        {
            Words(data.Span);
            return;
        }

        try
        {
            using var document = JsonDocument.Parse(data);
            var root = document.RootElement;
            if (_fields.NamesError || root.Get("error"u8) is not null || root.Says("object"u8, "error"u8))
            {
                Fail(data.Span);
                return;
            }

            Event(root);
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
        {
            throw new UnreadableAnswerException("an event is not the JSON of its dialect");
        }
    }
}
