namespace TokenFactory.TestKit.Data;

/// <summary>Values whose content does not matter, different each time.</summary>
public static class Some
{
    private static long _count;

    /// <summary>A short word that no other call returns: a tag to follow a request by.</summary>
    public static string Tag(string prefix = "tag") => $"{prefix}{Interlocked.Increment(ref _count)}";

    /// <summary>So many words, the first a tag.</summary>
    public static string Words(int count) => string.Join(' ', Enumerable.Range(1, count - 1).Select(word => $"w{word}").Prepend(Tag()));
}
