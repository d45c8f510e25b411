namespace TokenFactory.Administration.Configuration.Reading;

/// <summary>How keys compare when they come from the environment, and which known key an unknown one was meant to be.</summary>
internal static class KeySpelling
{
    public static bool Same(string left, string right) => string.Equals(Normal(left), Normal(right), StringComparison.Ordinal);

    /// <summary>The closest known word, if it is close enough to be meant: <c>; did you mean 'x'?</c>, else nothing.</summary>
    public static string Suggest(string word, IEnumerable<string> known)
    {
        var closest = known
            .Select(candidate => (candidate, distance: Distance(Normal(word), Normal(candidate))))
            .Where(c => c.distance <= Math.Max(1, Math.Min(c.candidate.Length, word.Length) / 3))
            .OrderBy(c => c.distance)
            .ThenBy(c => c.candidate, StringComparer.Ordinal)
            .Select(c => c.candidate)
            .FirstOrDefault();
        return closest is null ? "" : $"; did you mean '{closest}'?";
    }

    private static string Normal(string key) => key.Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();

    // Levenshtein in one row; words are bounded by the document's own size, and cut so that the cost is too.
    private static int Distance(string left, string right)
    {
        const int longest = 64;
        left = left[..Math.Min(left.Length, longest)];
        right = right[..Math.Min(right.Length, longest)];
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var changed = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(changed, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
