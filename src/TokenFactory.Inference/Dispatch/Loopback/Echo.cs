using System.Text;

namespace TokenFactory.Inference.Dispatch.Loopback;

/// <summary>What is said back, cut where it was asked to end, in the pieces it streams in: each word with the space before it.</summary>
internal sealed record Echo(IReadOnlyList<string> Pieces, string FinishReason, int Tokens)
{
    public string Text => string.Concat(Pieces);

    public static Echo Of(string text, Generation asked, CountTokens count)
    {
        foreach (var stop in asked.Stops)
        {
            var at = text.IndexOf(stop, StringComparison.Ordinal);
            text = at < 0 ? text : text[..at];
        }

        var pieces = new List<string>();
        var left = asked.MaxTokens;
        for (var start = 0; start < text.Length;)
        {
            var end = EndOfWord(text, start);
            var tokens = Count(text.AsSpan(start, end - start), count);
            if (tokens > left)
            {
                pieces.Add(Fitting(text[start..end], left, count));
                return Finished(pieces, "length", asked.MaxTokens, count);
            }

            pieces.Add(text[start..end]);
            left -= tokens;
            start = end;
        }

        return Finished(pieces, "stop", asked.MaxTokens, count);
    }

    public static int Count(ReadOnlySpan<char> text, CountTokens count)
    {
        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        return count(bytes.AsSpan(0, Encoding.UTF8.GetBytes(text, bytes)));
    }

    // The whole is counted again, because that is what a reader of the whole counts.
    private static Echo Finished(List<string> pieces, string reason, int most, CountTokens count)
    {
        pieces.RemoveAll(piece => piece.Length == 0);
        var tokens = Count(string.Concat(pieces), count);
        while (tokens > most)
        {
            pieces.RemoveAt(pieces.Count - 1);
            reason = "length";
            tokens = Count(string.Concat(pieces), count);
        }

        return new Echo(pieces, reason, tokens);
    }

    private static int EndOfWord(string text, int start)
    {
        var end = start;
        while (end < text.Length && char.IsWhiteSpace(text[end]))
        {
            end++;
        }

        while (end < text.Length && !char.IsWhiteSpace(text[end]))
        {
            end++;
        }

        return end;
    }

    /// <summary>The longest beginning of a word that has no more tokens than that; never half of a surrogate pair.</summary>
    private static string Fitting(string word, int most, CountTokens count)
    {
        var (fits, tooLong) = (0, word.Length);
        while (most > 0 && tooLong - fits > 1)
        {
            var middle = (fits + tooLong) / 2;
            if (Count(word.AsSpan(0, middle), count) <= most)
            {
                fits = middle;
            }
            else
            {
                tooLong = middle;
            }
        }

        return fits > 0 && char.IsHighSurrogate(word[fits - 1]) ? word[..(fits - 1)] : word[..fits];
    }
}
