namespace TokenFactory.TestKit.Upstream;

/// <summary>Usage as OpenAI counts it: what a cache had (and what one took) is a part of prompt, reasoning a part of completion.</summary>
public sealed record UpstreamUsage(long Prompt, long Completion, long Cached = 0, long Reasoning = 0, long CacheWritten = 0)
{
    public long Total => unchecked(Prompt + Completion);
}
