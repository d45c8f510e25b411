using System.Text;
using Microsoft.AspNetCore.Http;

namespace TokenFactory.TestKit.Http;

public enum RawEnd
{
    /// <summary>The message said where it ends, and came so far.</summary>
    Complete,

    /// <summary>The message has no length, and the connection was closed in order.</summary>
    Closed,

    /// <summary>The connection was closed in order before the message had ended.</summary>
    Truncated,

    /// <summary>The connection was broken with an RST.</summary>
    Reset,
}

/// <param name="Chunks">The body as the transfer's chunks had it; one for a body with a length.</param>
public sealed record RawResponse(int Status, IHeaderDictionary Headers, byte[] Body, IReadOnlyList<byte[]> Chunks, RawEnd End)
{
    public string Text => Encoding.UTF8.GetString(Body);

    /// <summary>Nothing of what was promised is missing.</summary>
    public bool EndedCleanly => End is RawEnd.Complete or RawEnd.Closed;

    /// <summary>The data of every event of a stream, comments left out.</summary>
    public IReadOnlyList<string> Events => [.. Text.ReplaceLineEndings("\n").Split('\n')
        .Where(line => line.StartsWith("data:", StringComparison.Ordinal))
        .Select(line => line["data:".Length..].TrimStart())];
}
