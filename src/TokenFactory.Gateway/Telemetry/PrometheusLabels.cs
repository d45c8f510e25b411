using System.Globalization;
using OpenTelemetry;

namespace TokenFactory.Gateway.Telemetry;

/// <summary>Tags as label pairs: sorted, sanitised, escaped. Two tags that sanitise to one name are joined, because a name
/// may stand only once.</summary>
internal static class PrometheusLabels
{
    public static string Of(ReadOnlyTagCollection tags)
    {
        var pairs = new List<KeyValuePair<string, object?>>(tags.Count);
        foreach (var tag in tags)
        {
            pairs.Add(tag);
        }

        return Of(pairs);
    }

    public static string Of(IEnumerable<KeyValuePair<string, object?>> tags)
    {
        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in tags)
        {
            var name = PrometheusName.Sanitise(key);
            labels[name] = labels.TryGetValue(name, out var other) ? $"{other};{Text(value)}" : Text(value);
        }

        using var writer = new StringWriter();
        foreach (var (name, value) in labels)
        {
            writer.Write(writer.GetStringBuilder().Length == 0 ? "" : ",");
            writer.Write(name);
            writer.Write("=\"");
            WriteEscaped(writer, value, quotes: true);
            writer.Write('"');
        }

        return writer.ToString();
    }

    public static void WriteEscaped(TextWriter writer, string text, bool quotes)
    {
        foreach (var c in text)
        {
            switch (c)
            {
                case '\\':
                    writer.Write(@"\\");
                    break;
                case '\n':
                    writer.Write(@"\n");
                    break;
                case '"' when quotes:
                    writer.Write("\\\"");
                    break;
                default:
                    writer.Write(c);
                    break;
            }
        }
    }

    private static string Text(object? value) => value switch
    {
        null => "",
        bool flag => flag ? "true" : "false",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };
}
