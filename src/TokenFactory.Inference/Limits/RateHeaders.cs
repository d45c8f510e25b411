using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace TokenFactory.Inference.Limits;

/// <summary>
/// The <c>x-ratelimit-*</c> headers OpenAI's clients read. One bucket speaks for each dimension: the one with the least left.
/// </summary>
internal static class RateHeaders
{
    private static readonly Names _requests = Names.Of("requests");
    private static readonly Names _tokens = Names.Of("tokens");

    public static void Write(IHeaderDictionary headers, IReadOnlyList<Level> levels)
    {
        Write(headers, levels, Dimension.RequestsPerMinute, _requests);
        Write(headers, levels, Dimension.TokensPerMinute, _tokens);
    }

    private static void Write(IHeaderDictionary headers, IReadOnlyList<Level> levels, Dimension dimension, Names names)
    {
        Level? tightest = null;
        for (var i = 0; i < levels.Count; i++)
        {
            var level = levels[i];
            if (level.Bucket.Dimension == dimension && (tightest is not { } least || level.Remaining < least.Remaining))
            {
                tightest = level;
            }
        }

        if (tightest is { } found)
        {
            headers[names.Limit] = found.Bucket.Limit.ToString(CultureInfo.InvariantCulture);
            headers[names.Remaining] = found.Remaining.ToString(CultureInfo.InvariantCulture);
            headers[names.Reset] = Duration(found.Reset);
        }
    }

    /// <summary>As Go prints durations, whole milliseconds rounded up: <c>0s</c>, <c>12ms</c>, <c>6.2s</c>, <c>1m30s</c>, <c>1h0m0s</c>.</summary>
    internal static string Duration(TimeSpan span)
    {
        var milliseconds = (span.Ticks + TimeSpan.TicksPerMillisecond - 1) / TimeSpan.TicksPerMillisecond;
        if (milliseconds is > 0 and < 1000)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{milliseconds}ms");
        }

        var (minutes, rest) = Math.DivRem(Math.Max(0, milliseconds), 60_000);
        var seconds = rest / 1000m;
        return minutes switch
        {
            0 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.###}s"),
            < 60 => string.Create(CultureInfo.InvariantCulture, $"{minutes}m{seconds:0.###}s"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{minutes / 60}h{minutes % 60}m{seconds:0.###}s"),
        };
    }

    private readonly record struct Names(string Limit, string Remaining, string Reset)
    {
        public static Names Of(string what) =>
            new($"x-ratelimit-limit-{what}", $"x-ratelimit-remaining-{what}", $"x-ratelimit-reset-{what}");
    }
}
