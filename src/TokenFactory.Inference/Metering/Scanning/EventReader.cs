using TokenFactory.Inference.Dialects.Events;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Metering.Scanning;

internal enum EventKind
{
    /// <summary>Comments and fields without data: nothing the client's parser dispatches.</summary>
    Silent,

    /// <summary>Data that is no JSON object: the client's business.</summary>
    Opaque,
    Chunk,
    Error,
    Done,
}

/// <summary>
/// Tells what one whole event is. Nearly every event of a stream has the skeleton of an earlier one and another text: those
/// are recognised by comparison, and only the others are parsed.
/// </summary>
internal sealed class EventReader(Dialect dialect) : IDisposable
{
    private const int ShapeBound = 4;

    private readonly ChunkReader _chunk = new(Places.RootOf(dialect));
    private readonly EventShape?[] _shapes = new EventShape?[ShapeBound];
    private EventFields? _fields;
    private EventShape? _shape;
    private int _hot;
    private bool _isPlain;
    private int _start;
    private int _length;

    public bool HasChoices => _shape?.HasChoices ?? _chunk.HasChoices;

    public bool IsUsageOnly => _shape is null && _chunk.IsUsageOnly;

    /// <summary>What of the payload a client that asked for no usage must not see.</summary>
    public List<(int Start, int End)> Cuts => _shape?.Cuts ?? _chunk.Cuts;

    /// <param name="lines">How many lines the event has, without the blank one; 0: not known.</param>
    public EventKind Read(ReadOnlySpan<byte> text, bool isFirst, int lines)
    {
        _shape = null;
        _isPlain = lines == 1 && text.StartsWith("data:"u8);
        if (_isPlain)
        {
            _start = text[5] == ' ' ? 6 : 5;
            _length = text[_start..].TrimEnd("\r\n"u8).Length;
            return Kind(text.Slice(_start, _length));
        }

        _fields ??= new EventFields();
        _fields.Read(text, isFirst);
        if (_fields.HasData)
        {
            var kind = Kind(_fields.Payload);
            return _fields.NamesError && kind != EventKind.Done ? EventKind.Error : kind;
        }

        // A proxy that gave up writes its error into the stream as a bare line; SSE clients would read a normal end.
        _isPlain = true;
        (_start, _length) = (0, text.Length);
        return !text.IsEmpty && text[0] == '{' && Kind(text) == EventKind.Error ? EventKind.Error : EventKind.Silent;
    }

    public ReadOnlySpan<byte> Payload(ReadOnlySpan<byte> text) => _isPlain ? text.Slice(_start, _length) : _fields!.Payload;

    /// <summary>Where a byte of the payload lies in the event.</summary>
    public int InEvent(int payload) => _isPlain ? _start + payload : _fields!.InEvent(payload);

    public void Report(ReadOnlySpan<byte> text, Findings findings)
    {
        var payload = Payload(text);
        if (_shape is not null)
        {
            Deliver(payload, _shape.Holes, findings);
            findings.Reported(_shape.Usage);
            return;
        }

        findings.Named(payload.Slice(_chunk.Model.Start, _chunk.Model.Length), payload.Slice(_chunk.Fingerprint.Start, _chunk.Fingerprint.Length));
        Deliver(payload, _chunk.Holes, findings);
        foreach (var finish in _chunk.Finishes)
        {
            findings.Finished(finish.Choice, payload.Slice(finish.Start, finish.Length));
        }

        foreach (var hole in _chunk.Holes)
        {
            if (hole.Kind is HoleKind.Usage or HoleKind.InputUsage)
            {
                findings.Reported(payload.Slice(hole.Start, hole.Length), dialect, knowsOutput: hole.Kind == HoleKind.Usage);
            }
        }
    }

    public void Dispose()
    {
        _fields?.Dispose();
        foreach (var shape in _shapes)
        {
            shape?.Dispose();
        }
    }

    private EventKind Kind(ReadOnlySpan<byte> payload)
    {
        if (dialect == Dialect.OpenAi && payload.StartsWith("[DONE]"u8))
        {
            return EventKind.Done;
        }

        if (FindShape(payload))
        {
            return EventKind.Chunk;
        }

        if (!_chunk.Read(payload))
        {
            return EventKind.Opaque;
        }

        if (_chunk.IsError)
        {
            return EventKind.Error;
        }

        if (_chunk.IsDone)
        {
            return EventKind.Done;
        }

        Learn(payload);
        return EventKind.Chunk;
    }

    private bool FindShape(ReadOnlySpan<byte> payload)
    {
        for (var tries = 0; tries < ShapeBound; tries++)
        {
            var at = (_hot + tries) % ShapeBound;
            if (_shapes[at] is { IsEmpty: false } shape && shape.Matches(payload))
            {
                _hot = at;
                _shape = shape;
                return true;
            }
        }

        return false;
    }

    /// <summary>A few skeletons are kept, because choices that interleave take turns.</summary>
    private void Learn(ReadOnlySpan<byte> payload)
    {
        if ((dialect != Dialect.OpenAi && _chunk.HasUsage) || !EventShape.Fits(payload, _chunk))
        {
            return;
        }

        _hot = (_hot + ShapeBound - 1) % ShapeBound;
        (_shapes[_hot] ??= new EventShape()).Learn(payload, _chunk);
    }

    private static void Deliver(ReadOnlySpan<byte> payload, List<Hole> holes, Findings findings)
    {
        foreach (var hole in holes)
        {
            if (hole.Kind == HoleKind.Text)
            {
                findings.Delivered(hole.Choice, payload.Slice(hole.Start, hole.Length));
            }
        }
    }
}
