namespace TokenFactory.Inference.Dialects.Events;

/// <summary>
/// The lines of one event, for the events that are more than one <c>data:</c> line. Data of several lines is joined with
/// LF, and every place in it can be found back in the event. Reused from event to event.
/// </summary>
internal sealed class EventFields : IDisposable
{
    private readonly List<(int Payload, int Event)> _lines = [];
    private readonly PooledBytes _joined = new();

    public bool NamesError { get; private set; }

    public bool HasData => _lines.Count > 0;

    /// <summary>Where the first data line's value starts in the event.</summary>
    public int DataStart => _lines[0].Event;

    public ReadOnlySpan<byte> Payload => _joined.Span;

    public ReadOnlyMemory<byte> PayloadMemory => _joined.Memory;

    /// <param name="isFirst">The stream starts here: a byte order mark is no part of the first field's name.</param>
    public void Read(ReadOnlySpan<byte> text, bool isFirst)
    {
        _lines.Clear();
        _joined.Clear();
        NamesError = false;
        var at = isFirst && text.StartsWith("\uFEFF"u8) ? 3 : 0;
        while (at < text.Length)
        {
            var end = text[at..].IndexOfAny((byte)'\n', (byte)'\r');
            end = end < 0 ? text.Length : at + end;
            Line(text[at..end], at);
            at = end + 1;
        }
    }

    /// <summary>Where a byte of the payload lies in the event.</summary>
    public int InEvent(int payload)
    {
        var line = _lines.Count - 1;
        while (line > 0 && _lines[line].Payload > payload)
        {
            line--;
        }

        return _lines[line].Event + payload - _lines[line].Payload;
    }

    public void Dispose() => _joined.Dispose();

    private void Line(ReadOnlySpan<byte> line, int start)
    {
        var colon = line.IndexOf((byte)':');
        var name = colon < 0 ? line : line[..colon];
        var valueStart = colon < 0 ? line.Length : colon + 1;
        valueStart += valueStart < line.Length && line[valueStart] == ' ' ? 1 : 0;
        var value = line[valueStart..];
        if (name.SequenceEqual("data"u8))
        {
            if (HasData)
            {
                _joined.Append("\n"u8);
            }

            _lines.Add((_joined.Count, start + valueStart));
            _joined.Append(value);
        }
        else if (name.SequenceEqual("event"u8))
        {
            NamesError = value.SequenceEqual("error"u8);
        }
    }
}
