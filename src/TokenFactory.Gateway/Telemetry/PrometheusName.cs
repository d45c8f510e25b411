using System.Text;
using OpenTelemetry.Metrics;

namespace TokenFactory.Gateway.Telemetry;

/// <summary>Names as the OpenTelemetry compatibility specification maps them: dots become underscores, the unit becomes a
/// suffix, a counter ends in <c>_total</c>.</summary>
internal static class PrometheusName
{
    public static string Of(string name, string? unit, MetricType type)
    {
        var result = Sanitise(name);
        var counts = type is MetricType.LongSum or MetricType.DoubleSum;
        if (counts && result.EndsWith("_total", StringComparison.Ordinal))
        {
            result = result[..^"_total".Length];
        }

        if (UnitSuffix(unit, type) is { } suffix && !result.EndsWith("_" + suffix, StringComparison.Ordinal))
        {
            result += "_" + suffix;
        }

        return counts ? result + "_total" : result;
    }

    /// <summary><c>[a-zA-Z_][a-zA-Z0-9_]*</c>, without two underscores in a row.</summary>
    public static string Sanitise(string name)
    {
        var result = new StringBuilder(name.Length + 1);
        foreach (var c in name)
        {
            if (char.IsAsciiLetterOrDigit(c))
            {
                result.Append(result.Length == 0 && char.IsAsciiDigit(c) ? "_" : "").Append(c);
            }
            else if (result.Length == 0 || result[^1] != '_')
            {
                result.Append('_');
            }
        }

        return result.ToString();
    }

    private static string? UnitSuffix(string? unit, MetricType type)
    {
        switch (unit)
        {
            case null or "" or ['{', ..]: // an annotation such as {token} is no unit
                return null;
            case "1":
                return type.IsGauge() ? "ratio" : null;
        }

        var slash = unit.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? Word(unit) : $"{Word(unit[..slash])}_per_{Word(unit[(slash + 1)..]).TrimEnd('s')}";
    }

    private static string Word(string unit) => unit switch
    {
        "s" => "seconds",
        "ms" => "milliseconds",
        "us" => "microseconds",
        "ns" => "nanoseconds",
        "min" => "minutes",
        "h" => "hours",
        "d" => "days",
        "By" => "bytes",
        "%" => "percent",
        _ => Sanitise(unit),
    };
}
