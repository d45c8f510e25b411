using System.Globalization;

namespace TokenFactory.Administration.Configuration.Reading;

/// <summary>Dates and times as people write them: ISO 8601, UTC unless an offset says otherwise.</summary>
internal static class Moments
{
    public const string Form = "write a date or time such as 2027-01-31 or 2027-01-31T12:00:00Z";

    private static readonly string[] _formats =
    [
        "yyyy-MM-dd", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK",
    ];

    public static DateTimeOffset? Parse(string text) =>
        DateTimeOffset.TryParseExact(
            text, _formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var moment)
            ? moment
            : null;
}
