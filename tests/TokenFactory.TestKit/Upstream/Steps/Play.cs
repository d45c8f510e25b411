using System.Text;
using TokenFactory.TestKit.Upstream.Anthropic;
using TokenFactory.TestKit.Upstream.Wires;

namespace TokenFactory.TestKit.Upstream.Steps;

/// <summary>A script being played to one request. Custom steps write through it, so that the books stay right.</summary>
public sealed class Play
{
    private readonly Wire _wire;
    private long _offset;
    private long _thought;

    internal Play(FakeUpstream upstream, UpstreamRequest request, ChunkStyle style, Wire wire, CancellationToken cancellation)
    {
        (Upstream, Request, Style, _wire, Cancellation) = (upstream, request, style, wire, cancellation);
        var prefix = Ask.Operation switch { UpstreamOperation.Completions => "cmpl-", UpstreamOperation.Messages => "msg_", UpstreamOperation.Responses => "resp_", UpstreamOperation.Moderations => "modr-", _ => "chatcmpl-" };
        Id = $"{prefix}{upstream.Name}{request.Number}";
    }

    public FakeUpstream Upstream { get; }

    public UpstreamRequest Request { get; }

    public UpstreamAsk Ask => Request.Ask;

    public ChunkStyle Style { get; }

    /// <summary>The completion's id.</summary>
    public string Id { get; }

    /// <summary>What the response names the request.</summary>
    public string RequestId => $"req_{Upstream.Name}{Request.Number}";

    /// <summary>The caller went away, or the upstream is closing.</summary>
    public CancellationToken Cancellation { get; }

    /// <summary>No step after this one plays.</summary>
    public bool Over { get; private set; }

    /// <summary>What an honest usage object says now.</summary>
    public UpstreamUsage Usage => Style.StatedUsage ?? new UpstreamUsage(Request.PromptTokens, Request.CompletionTokens, Reasoning: _thought);

    /// <summary>The content block that a stream of a message is in.</summary>
    internal (int Index, MessageBlockKind Kind) OpenBlock { get; set; }

    public async ValueTask HeadAsync(int status, params IEnumerable<KeyValuePair<string, string>> headers)
    {
        Request.Status = status;
        await _wire.HeadAsync(status, headers.Concat(Upstream.ResponseHeaders).Append(new(Request.SpeaksMessages ? "request-id" : "x-request-id", RequestId)), Cancellation);
    }

    /// <summary>Body bytes, sent at once; cut into several writes where the style says so.</summary>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        Cancellation.ThrowIfCancellationRequested();
        foreach (var part in Parts(bytes))
        {
            await _wire.WriteAsync(part, Cancellation);
            if (part.Length < bytes.Length)
            {
                await PauseAsync(Style.PauseAtCut);
            }
        }

        Request.Sent(bytes.Length);
    }

    /// <summary>One event.</summary>
    public ValueTask FrameAsync(ReadOnlySpan<byte> json)
    {
        var (prefix, end) = (Encoding.UTF8.GetBytes(Style.Prefix), Encoding.UTF8.GetBytes(Style.LineEnd));
        return WriteAsync((byte[])[.. prefix, .. json, .. end, .. end]);
    }

    public ValueTask FrameAsync(string json) => FrameAsync(Encoding.UTF8.GetBytes(json));

    /// <summary>One event with its name on a line of its own.</summary>
    public ValueTask EventAsync(string name, ReadOnlyMemory<byte> json)
    {
        var end = Style.LineEnd;
        var head = Style.Unnamed ? Style.Prefix : $"event: {name}{end}{Style.Prefix}";
        return WriteAsync((byte[])[.. Encoding.UTF8.GetBytes(head), .. json.Span, .. Encoding.UTF8.GetBytes(end + end)]);
    }

    public ValueTask EventAsync(string name, string json) => EventAsync(name, Encoding.UTF8.GetBytes(json));

    public async ValueTask PauseAsync(TimeSpan pause)
    {
        if (pause > TimeSpan.Zero)
        {
            await _wire.FlushAsync(Cancellation);
            await Task.Delay(pause, Cancellation);
        }
    }

    /// <summary>Says nothing until the gate opens; without one, until the caller is gone.</summary>
    public async ValueTask StallAsync(Gate? gate)
    {
        await _wire.FlushAsync(Cancellation);
        await (gate?.PassAsync(Cancellation) ?? Task.Delay(TimeSpan.FromMinutes(5), Cancellation));
    }

    public async ValueTask FlushAsync() => await _wire.FlushAsync(Cancellation);

    public async ValueTask CutAsync(Cut how)
    {
        Over = true;
        Request.Finish();
        await _wire.CutAsync(how, Cancellation);
    }

    /// <summary>Of the next event, in the dialect that numbers them.</summary>
    internal int NextNumber { get; set; }

    /// <summary>So many of the words sent were thoughts.</summary>
    internal void Thought(int words) => _thought += words;

    internal async ValueTask EndAsync()
    {
        Request.Finish();
        await _wire.EndAsync(Cancellation);
    }

    private IEnumerable<ReadOnlyMemory<byte>> Parts(ReadOnlyMemory<byte> bytes)
    {
        var start = _offset;
        _offset += bytes.Length;
        if (Style.EveryByte)
        {
            return Enumerable.Range(0, bytes.Length).Select(at => bytes.Slice(at, 1));
        }

        var cuts = Style.Cuts.Select(cut => cut - start).Where(cut => cut > 0 && cut < bytes.Length).Order().Prepend(0).Append(bytes.Length).Select(cut => (int)cut).ToList();
        return cuts.Zip(cuts.Skip(1), (from, to) => bytes[from..to]);
    }
}
