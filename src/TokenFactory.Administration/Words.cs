using TokenFactory.Administration.Configuration.Reading;

namespace TokenFactory.Administration;

/// <summary>The command line's words, read exactly as the configuration's.</summary>
public static class Words
{
    public const string DurationForm = Quantity.DurationForm;
    public const string MomentForm = "write a duration such as 30d, or a date such as 2027-01-31 or 2027-01-31T12:00:00Z";

    public const string NameForm = Names.Form;

    public static bool IsName(string text) => Names.AreValid(text);

    public static TimeSpan? Duration(string text) => Quantity.Duration(text);

    /// <summary>A moment, or a duration from now.</summary>
    public static DateTimeOffset? Moment(string text, DateTimeOffset now)
    {
        if (Quantity.Duration(text) is not { } duration)
        {
            return Moments.Parse(text);
        }

        // Past the calendar's end is not understood, rather than an overflow.
        return duration < DateTimeOffset.MaxValue - now ? now + duration : null;
    }

    /// <summary>Separated by commas or spaces; null stays null.</summary>
    public static IReadOnlyList<string>? List(string? text) => text?.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Nano-USD as the shortest exact decimal of USD.</summary>
    public static string Usd(long nanoUsd) => Quantity.Usd(nanoUsd);
}
