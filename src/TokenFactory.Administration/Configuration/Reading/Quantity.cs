using System.Globalization;
using System.Text.RegularExpressions;

namespace TokenFactory.Administration.Configuration.Reading;

/// <summary>The quantities people write: <c>30s</c>, <c>10MB</c>, <c>0.15</c> USD. Exact, never floating point; null is not understood.</summary>
internal static partial class Quantity
{
    public const string DurationForm = "write a duration such as 250ms, 30s, 5m or 1h";
    public const string SizeForm = "write a size such as 512KB, 10MB or 1GB";
    public const string UsdForm = "write an amount such as 0.15: digits, at most 9 decimals, no exponent, no currency sign";

    private const long NanoUsdPerUsd = 1_000_000_000;

    public static TimeSpan? Duration(string text)
    {
        var match = DurationPattern.Match(text);
        if (!match.Success)
        {
            return null;
        }

        var count = long.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        return match.Groups[2].ValueSpan switch
        {
            "ms" => TimeSpan.FromMilliseconds(count),
            "s" => TimeSpan.FromSeconds(count),
            "m" => TimeSpan.FromMinutes(count),
            "h" => TimeSpan.FromHours(count),
            _ => TimeSpan.FromDays(count),
        };
    }

    /// <summary>Bytes; KB, MB and GB are powers of 1024, as memory limits are.</summary>
    public static long? SizeBytes(string text)
    {
        var match = SizePattern.Match(text);
        if (!match.Success)
        {
            return null;
        }

        var count = long.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        return char.ToUpperInvariant(match.Groups[2].Value.FirstOrDefault('B')) switch
        {
            'K' => count << 10,
            'M' => count << 20,
            'G' => count << 30,
            _ => count,
        };
    }

    /// <summary>USD as nano-USD: nine decimals, so every published price and amount is exact.</summary>
    public static long? NanoUsd(string text)
    {
        var match = UsdPattern.Match(text);
        if (!match.Success)
        {
            return null;
        }

        var whole = long.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        var fraction = long.Parse(match.Groups[2].Value.PadRight(9, '0'), CultureInfo.InvariantCulture);
        return (whole * NanoUsdPerUsd) + fraction;
    }

    /// <summary>The other way, for people: the shortest decimal that is exact.</summary>
    public static string Usd(long nanoUsd)
    {
        var fraction = (nanoUsd % NanoUsdPerUsd).ToString("D9", CultureInfo.InvariantCulture).TrimEnd('0').PadRight(2, '0');
        return $"{(nanoUsd / NanoUsdPerUsd).ToString(CultureInfo.InvariantCulture)}.{fraction}";
    }

    [GeneratedRegex(@"^([0-9]{1,9})(ms|s|m|h|d)\z")]
    private static partial Regex DurationPattern { get; }

    [GeneratedRegex(@"^([0-9]{1,9})(|B|K|KB|KiB|M|MB|MiB|G|GB|GiB)\z", RegexOptions.IgnoreCase)]
    private static partial Regex SizePattern { get; }

    [GeneratedRegex(@"^([0-9]{1,9})(?:\.([0-9]{1,9}))?\z")]
    private static partial Regex UsdPattern { get; }
}
