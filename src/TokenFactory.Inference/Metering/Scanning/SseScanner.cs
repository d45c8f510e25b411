using TokenFactory.Inference.Dialects;
using TokenFactory.Inference.Dialects.Events;
using TokenFactory.Inference.Dialects.Responses;
using TokenFactory.Inference.Dispatch;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Metering.Scanning;

/// <summary>
/// Sees the bytes of one upstream stream once, in any pieces, and tells what may go to the client now, what the stream
/// used, and how it ended. Bytes that pass are the backend's own, never rewritten; an event passes when it is complete,
/// so that it can still be held, stripped or refused. The terminator is held until the caller has settled (P1), and is
/// the last: nothing after it passes. An error frame and all after it never pass. A frame beyond the hold bound flows through as it comes, in
/// flat memory: it is watched but cannot be stripped. Not thread-safe.
/// </summary>
/// <param name="stripUsage">The client did not ask for usage but we did: it must see none of it (P3).</param>
/// <param name="count">Counts delivered text for backends that report nothing; null: no text is kept.</param>
/// <param name="dialect">The stream's.</param>
internal sealed class SseScanner(bool stripUsage, CountTokens? count = null, int holdBytes = SseScanner.DefaultHoldBytes, Dialect dialect = Dialect.OpenAi)
    : IDisposable
{
    public const int DefaultHoldBytes = 64 * 1024;
    private const int HeldBackBoundBytes = 16 * 1024;

    private readonly Segments _passing = new();
    private readonly Findings _findings = new(count);
    private readonly PooledBytes _heldBack = new();
    private readonly LargeFrame _large = new(dialect);
    private readonly EventReader _reader = new(dialect);
    private PooledBytes _carry = new();
    private PooledBytes _carried = new();
    private EventEnd _end;
    private bool _begun;
    private bool _awaitsLf;
    private bool _passesLf;

    // In OpenAI's Responses the last event tells the whole answer once more, and it is the one that must wait.
    private readonly int _heldBackBoundBytes = dialect == Dialect.Responses ? holdBytes : HeldBackBoundBytes;

    /// <summary>What may go to the client now, in order; valid until the next <see cref="Feed"/>.</summary>
    public Segments Passing => _passing;

    /// <summary>The terminator (bounded; what is beyond the bound no client reads).</summary>
    public ReadOnlyMemory<byte> HeldBack => _heldBack.Memory;

    public bool SawDone { get; private set; }

    /// <summary>What an event would have to be numbered that followed those that passed; of events that have no numbers 0.</summary>
    public long NextSequenceNumber { get; private set; }

    /// <summary>The backend failed in-band. Nothing passes any more.</summary>
    public BackendError? Error { get; private set; }

    /// <summary>The stream ended inside an event, whose bytes are dropped: half an event would garble what we say after it.</summary>
    public bool IsTruncated { get; private set; }

    /// <summary>The last byte that passed lies inside an event: whoever adds an event of his own must end this one first.</summary>
    public bool IsInsideEvent { get; private set; }

    public ReportedUsage? Usage => _findings.Usage;

    public ReportedUsage? InputUsage => _findings.InputUsage;

    /// <summary>Non-empty text of any kind was delivered.</summary>
    public bool SawContent => _findings.SawContent;

    public int FinishedChoices => _findings.FinishedChoices;

    public bool SawFinishReason => _findings.FinishedChoices > 0;

    public string? FinishReason => _findings.FinishReason;

    public string? Model => _findings.Model;

    public string? Fingerprint => _findings.Fingerprint;

    /// <summary>Events with data, the terminator included.</summary>
    public int Events { get; private set; }

    /// <summary>Events that were chunks: objects with choices.</summary>
    public int Chunks { get; private set; }

    public long CountDelivered() => _findings.CountDelivered();

    public void Feed(ReadOnlyMemory<byte> chunk)
    {
        _passing.Begin(chunk);
        _carried.Clear();
        var span = chunk.Span;
        var at = 0;
        while (at < span.Length && Error is null)
        {
            if (SawDone)
            {
                HoldLateLf(span[at]);
                return;
            }

            if (_awaitsLf)
            {
                at += LateLf(chunk, at);
                continue;
            }

            var length = _end.Find(span[at..]);
            var piece = length < 0 ? chunk[at..] : chunk.Slice(at, length);
            Take(piece, at, isEnd: length >= 0);
            at += piece.Length;
        }
    }

    /// <summary>The upstream closed. An event without its blank line still counts when it is whole, as clients read it.</summary>
    public void Complete()
    {
        _passing.Begin(default);
        _carried.Clear();
        if (_large.IsOpen)
        {
            IsTruncated = true;
            return;
        }

        if (SawDone || Error is not null || _carry.Count == 0)
        {
            return;
        }

        (_carry, _carried) = (_carried, _carry);
        Judge(_carried.Memory, -1, isCut: true);
    }

    public void Dispose()
    {
        _carry.Dispose();
        _carried.Dispose();
        _heldBack.Dispose();
        _large.Dispose();
        _reader.Dispose();
        _findings.Dispose();
    }

    private void Take(ReadOnlyMemory<byte> piece, int offset, bool isEnd)
    {
        if (_large.IsOpen)
        {
            Flow(piece, offset);
        }
        else if (_carry.Count + piece.Length > holdBytes)
        {
            Overflow(piece, offset);
        }
        else if (!isEnd)
        {
            _carry.Append(piece.Span);
        }
        else if (_carry.Count == 0)
        {
            Judge(piece, offset, isCut: false);
        }
        else
        {
            _carry.Append(piece.Span);
            (_carry, _carried) = (_carried, _carry);
            Judge(_carried.Memory, -1, isCut: false);
        }

        if (isEnd)
        {
            EndEvent(piece.Span[^1] == '\r');
        }
    }

    private void EndEvent(bool awaitsLf)
    {
        if (_large.IsOpen && Error is null)
        {
            _large.Close();
            Events += _large.HasData ? 1 : 0;
            Chunks += _large.HasChoices ? 1 : 0;
            IsInsideEvent = false;
            _passesLf = true;
        }

        _begun = true;
        _awaitsLf = awaitsLf;
        _end.Next();
    }

    /// <summary>An LF after the CR that ended an event goes the way the event went.</summary>
    private int LateLf(ReadOnlyMemory<byte> chunk, int at)
    {
        _awaitsLf = false;
        if (chunk.Span[at] != '\n')
        {
            return 0;
        }

        if (_passesLf)
        {
            _passing.Add(chunk.Slice(at, 1), at);
        }

        return 1;
    }

    /// <summary>The LF after the CR that ended the terminator is its own.</summary>
    private void HoldLateLf(byte next)
    {
        if (_awaitsLf && next == '\n')
        {
            Hold("\n"u8);
        }

        _awaitsLf = false;
    }

    private void Judge(ReadOnlyMemory<byte> text, int offset, bool isCut)
    {
        var verdict = _reader.Read(text.Span, isFirst: !_begun, isCut ? 0 : _end.Lines);
        _passesLf = false;
        switch (verdict)
        {
            case EventKind.Done:
                Events++;
                SawDone = true;
                ReportLast(text.Span);
                Hold(text.Span);
                return;
            case EventKind.Error:
                Events++;
                ReportLast(text.Span);
                Error = BackendError.Read(_reader.Payload(text.Span));
                return;
            case EventKind.Chunk:
                Events++;
                _reader.Report(text.Span, _findings);
                Chunks += _reader.HasChoices ? 1 : 0;
                if (stripUsage && _reader.IsUsageOnly)
                {
                    return;
                }

                break;
            default:
                IsTruncated = isCut;
                Events += verdict == EventKind.Opaque && !isCut ? 1 : 0;
                if (isCut)
                {
                    return;
                }

                break;
        }

        if (dialect == Dialect.Responses && SequenceNumber.In(text.Span) is { } number)
        {
            NextSequenceNumber = number + 1;
        }

        _passesLf = true;
        IsInsideEvent = isCut;
        Pass(text, offset, stripUsage && verdict == EventKind.Chunk);
    }

    /// <summary>What ends a stream of responses, well or badly, is also what reports its usage.</summary>
    private void ReportLast(ReadOnlySpan<byte> text)
    {
        if (dialect == Dialect.Responses)
        {
            _reader.Report(text, _findings);
        }
    }

    private void Pass(ReadOnlyMemory<byte> text, int offset, bool cut)
    {
        var from = 0;
        if (cut)
        {
            foreach (var (start, end) in _reader.Cuts)
            {
                var cutStart = _reader.InEvent(start);
                _passing.Add(text[from..cutStart], offset < 0 ? -1 : offset + from);
                from = _reader.InEvent(end);
            }
        }

        _passing.Add(text[from..], offset < 0 ? -1 : offset + from);
    }

    /// <summary>Too large to hold: its first bytes are judged as far as they tell, then everything flows.</summary>
    private void Overflow(ReadOnlyMemory<byte> piece, int offset)
    {
        // Always the same first bytes, however the stream was cut: what passes must not depend on the network.
        var filled = holdBytes - _carry.Count;
        var head = piece[..filled];
        var headOffset = offset;
        if (_carry.Count > 0)
        {
            _carry.Append(head.Span);
            (_carry, _carried) = (_carried, _carry);
            head = _carried.Memory;
            headOffset = -1;
        }

        Error = _large.Open(head.Span, isFirst: !_begun, _findings);
        if (Error is null)
        {
            IsInsideEvent = true;
            _passing.Add(head, headOffset);
            Flow(piece[filled..], offset + filled);
        }
    }

    private void Flow(ReadOnlyMemory<byte> piece, int offset)
    {
        var walked = _large.Feed(piece.Span);
        _passing.Add(piece[..walked], offset);
        Error = _large.SawError ? new BackendError(null, null, null, null, null) : null;
    }

    private void Hold(ReadOnlySpan<byte> bytes) =>
        _heldBack.Append(bytes[..Math.Min(bytes.Length, _heldBackBoundBytes - _heldBack.Count)]);
}
