using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using TokenFactory.TestKit.Upstream.Anthropic;

namespace TokenFactory.TestKit.Upstream;

/// <summary>One request as it arrived, and what became of it: the upstream's own side of the books.
/// Everything here may be read while the request is still running.</summary>
public sealed class UpstreamRequest
{
    private readonly long _arrived = Stopwatch.GetTimestamp();
    private long _bytesSent;
    private int _chunksSent;
    private int _completionTokens;
    private volatile bool _clientAborted;
    private volatile bool _finished;
    private volatile UpstreamUsage? _statedUsage;

    internal UpstreamRequest(long number, HttpContext context, ReadOnlyMemory<byte> body, bool keepBody, UpstreamAsk? ask)
    {
        Number = number;
        Method = context.Request.Method;
        Path = context.Request.Path + context.Request.QueryString.Value;
        ConnectionId = context.Connection.Id;
        Headers = new HeaderDictionary(context.Request.Headers.ToDictionary(StringComparer.OrdinalIgnoreCase));
        BodyLength = body.Length;
        Body = keepBody ? body : default;
        Ask = ask ?? UpstreamAsk.Nothing;
        SpeaksMessages = MessageBackend.IsSpokenTo(context.Request);
    }

    public long Number { get; }

    public string Method { get; }

    /// <summary>Path and query.</summary>
    public string Path { get; }

    public IHeaderDictionary Headers { get; }

    /// <summary>Empty when the upstream does not keep bodies.</summary>
    public ReadOnlyMemory<byte> Body { get; }

    public int BodyLength { get; }

    public string ConnectionId { get; }

    public UpstreamAsk Ask { get; }

    /// <summary>The caller speaks Anthropic's dialect.</summary>
    public bool SpeaksMessages { get; }

    /// <summary>The credential, in whichever header it came.</summary>
    public string? Key => Headers["x-api-key"].FirstOrDefault()
        ?? (Headers.Authorization.ToString() is var given && given.StartsWith("Bearer ", StringComparison.Ordinal) ? given["Bearer ".Length..] : null);

    public string? RequestId => Headers["x-request-id"].FirstOrDefault();

    /// <summary>The name of the script that answered; "honest" without one.</summary>
    public string Script { get; internal set; } = "honest";

    /// <summary>The status put on the wire; 0 while there is none.</summary>
    public int Status { get; internal set; }

    /// <summary>Body bytes handed to the connection, framing of the transfer not counted.</summary>
    public long BytesSent => Interlocked.Read(ref _bytesSent);

    /// <summary>Stream events and other separate writes handed to the connection.</summary>
    public int ChunksSent => Volatile.Read(ref _chunksSent);

    public int PromptTokens => Ask.PromptTokens;

    /// <summary>Words really handed to the connection, before any cut.</summary>
    public int CompletionTokens => Volatile.Read(ref _completionTokens);

    public int TotalTokens => PromptTokens + CompletionTokens;

    /// <summary>The last usage object put on the wire; null when none was.</summary>
    public UpstreamUsage? StatedUsage => _statedUsage;

    /// <summary>The caller went away before the script had ended.</summary>
    public bool ClientAborted => _clientAborted;

    public TimeSpan? ClientAbortedAfter { get; private set; }

    /// <summary>The script has played to its own end, which may be a cut.</summary>
    public bool Finished => _finished;

    /// <summary>Nothing more will change.</summary>
    public bool Over => Finished || ClientAborted;

    internal void Sent(int bytes)
    {
        Interlocked.Add(ref _bytesSent, bytes);
        Interlocked.Increment(ref _chunksSent);
    }

    internal void SentTokens(int tokens) => Interlocked.Add(ref _completionTokens, tokens);

    internal void Stated(UpstreamUsage usage) => _statedUsage = usage;

    internal void Finish() => _finished = true;

    internal void Abort()
    {
        ClientAbortedAfter = Stopwatch.GetElapsedTime(_arrived);
        _clientAborted = true;
    }
}
