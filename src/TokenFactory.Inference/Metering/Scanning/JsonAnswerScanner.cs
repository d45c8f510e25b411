using System.Buffers;
using TokenFactory.Inference.Dialects;
using TokenFactory.Inference.Dialects.Events;
using TokenFactory.Inference.Dispatch;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Metering.Scanning;

/// <summary>
/// Sees the bytes of one answer that is a single JSON body (chat, completions, embeddings), whole or in any pieces, with
/// flat memory: an embeddings body of tens of megabytes is never held for its usage, wherever that stands. Its text is
/// counted like a stream's. The body itself is the caller's to pass on.
/// </summary>
internal sealed class JsonAnswerScanner : IDisposable
{
    private const int HeadBoundBytes = 16 * 1024;

    private readonly Findings _findings;
    private readonly JsonWalker _walker;
    private readonly PooledBytes _head = new();

    public JsonAnswerScanner(CountTokens? count = null, Dialect dialect = Dialect.OpenAi)
    {
        _findings = new Findings(count);
        _walker = new JsonWalker(_findings, dialect, stopsAtError: false);
    }

    /// <summary>The body was one closed JSON object. By brackets and strings: a body cut short is none, HTML is none.</summary>
    public bool IsWholeObject => _walker.IsWholeObject;

    public bool HasChoices => _walker.HasChoices;

    /// <summary>An error under whatever status; its words are read from the body's first 16 KB.</summary>
    public BackendError? Error => _walker.SawError ? BackendError.Read(_head.Span) : null;

    public ReportedUsage? Usage => _findings.Usage;

    public ReportedUsage? InputUsage => _findings.InputUsage;

    public bool SawContent => _findings.SawContent;

    public int FinishedChoices => _findings.FinishedChoices;

    public string? FinishReason => _findings.FinishReason;

    public string? Model => _findings.Model;

    public string? Fingerprint => _findings.Fingerprint;

    public long CountDelivered() => _findings.CountDelivered();

    public void Feed(ReadOnlySpan<byte> piece)
    {
        _head.Append(piece[..Math.Min(piece.Length, HeadBoundBytes - _head.Count)]);
        _walker.Feed(piece);
    }

    public void Feed(ReadOnlySequence<byte> body)
    {
        foreach (var piece in body)
        {
            Feed(piece.Span);
        }
    }

    public void Dispose()
    {
        _head.Dispose();
        _walker.Dispose();
        _findings.Dispose();
    }
}
