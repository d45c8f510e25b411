namespace TokenFactory.TestKit.Upstream;

/// <summary>Running sums over every request, also those too old to be kept.</summary>
public sealed class UpstreamTotals
{
    private long _connections;
    private long _requests;
    private long _streams;
    private long _aborted;
    private long _finished;
    private long _promptTokens;
    private long _completionTokens;

    public long Connections => Interlocked.Read(ref _connections);

    public long Requests => Interlocked.Read(ref _requests);

    public long Streams => Interlocked.Read(ref _streams);

    public long Aborted => Interlocked.Read(ref _aborted);

    public long Finished => Interlocked.Read(ref _finished);

    /// <summary>Of requests that were answered with a status below 300.</summary>
    public long PromptTokens => Interlocked.Read(ref _promptTokens);

    /// <summary>Words really sent.</summary>
    public long CompletionTokens => Interlocked.Read(ref _completionTokens);

    internal void Connected() => Interlocked.Increment(ref _connections);

    internal void Arrived(UpstreamRequest request)
    {
        Interlocked.Increment(ref _requests);
        if (request.Ask.Stream)
        {
            Interlocked.Increment(ref _streams);
        }
    }

    internal void Ended(UpstreamRequest request)
    {
        Interlocked.Add(ref _promptTokens, request.Status is > 0 and < 300 ? request.PromptTokens : 0);
        Interlocked.Add(ref _completionTokens, request.CompletionTokens);
        Interlocked.Increment(ref request.ClientAborted ? ref _aborted : ref _finished);
    }
}
