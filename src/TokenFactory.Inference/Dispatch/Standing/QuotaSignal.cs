using System.Globalization;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace TokenFactory.Inference.Dispatch.Standing;

/// <summary>
/// How long a backend that turned a request away asks to be left alone, in whichever header it says so: Retry-After (RFC 9110),
/// <c>retry-after-ms</c>, OpenAI's <c>x-ratelimit-reset-*</c>, Anthropic's <c>anthropic-ratelimit-*-reset</c>.
/// </summary>
internal static partial class QuotaSignal
{
    private static readonly string[] _resets =
        ["x-ratelimit-{0}-requests", "x-ratelimit-{0}-tokens", "anthropic-ratelimit-requests-{0}", "anthropic-ratelimit-tokens-{0}", "anthropic-ratelimit-input-tokens-{0}", "anthropic-ratelimit-output-tokens-{0}"];

    /// <returns>Null when it does not say.</returns>
    public static TimeSpan? RestOf(HttpResponseHeaders headers, DateTimeOffset now)
    {
        if (Value(headers, "retry-after-ms") is { } text && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds <= int.MaxValue)
        {
            return TimeSpan.FromMilliseconds(milliseconds);
        }

        return headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date > now ? date - now : TimeSpan.Zero,
            _ => LongestReset(headers, now),
        };
    }

    /// <summary>Of what is used up: what has something left did not turn the request away.</summary>
    private static TimeSpan? LongestReset(HttpResponseHeaders headers, DateTimeOffset now)
    {
        TimeSpan? longest = null;
        foreach (var name in _resets)
        {
            if (Value(headers, string.Format(CultureInfo.InvariantCulture, name, "remaining")) == "0"
                && Value(headers, string.Format(CultureInfo.InvariantCulture, name, "reset")) is { } reset
                && Parse(reset, now) is { } rest
                && (longest is null || rest > longest))
            {
                longest = rest;
            }
        }

        return longest;
    }

    /// <summary>Whole seconds, a duration as Go writes it (<c>6m0s</c>, <c>12ms</c>), or a moment (RFC 3339).</summary>
    private static TimeSpan? Parse(string reset, DateTimeOffset now)
    {
        if (GoDuration().Match(reset) is { Success: true, Length: > 0 } match)
        {
            var seconds = Number(match, "h") * 3600 + Number(match, "m") * 60 + Number(match, "s") + Number(match, "ms") / 1000 + Number(match, "plain");
            return seconds <= TimeSpan.FromDays(1).TotalSeconds ? TimeSpan.FromSeconds(seconds) : TimeSpan.FromDays(1);
        }

        return DateTimeOffset.TryParse(reset, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment) ? moment > now ? moment - now : TimeSpan.Zero : null;
    }

    private static double Number(Match match, string group) =>
        match.Groups[group] is { Success: true, Value: var text } && double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private static string? Value(HttpResponseHeaders headers, string name) => headers.TryGetValues(name, out var values) ? values.FirstOrDefault()?.Trim() : null;

    [GeneratedRegex(@"^(?:(?<plain>[0-9]{1,9})|(?:(?<h>[0-9]{1,9}(?:\.[0-9]{1,9})?)h)?(?:(?<m>[0-9]{1,9}(?:\.[0-9]{1,9})?)m(?!s))?(?:(?<s>[0-9]{1,9}(?:\.[0-9]{1,9})?)s)?(?:(?<ms>[0-9]{1,9}(?:\.[0-9]{1,9})?)ms)?)$", RegexOptions.CultureInvariant)]
    private static partial Regex GoDuration();
}
