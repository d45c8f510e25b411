using System.Globalization;
using System.Text;
using Xunit;

namespace TokenFactory.Gateway.Tests.Telemetry;

/// <summary>A scraper's view of the text format 0.0.4, strict: what it cannot read, it throws on.</summary>
internal sealed class PrometheusPage
{
    public Dictionary<string, string> Types { get; } = [];

    public List<(string Name, SortedDictionary<string, string> Labels, double Value)> Samples { get; } = [];

    public static PrometheusPage Parse(string text)
    {
        var page = new PrometheusPage();
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        foreach (var line in text.Split('\n')[..^1])
        {
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                var words = line.Split(' ');
                page.Types.Add(words[2], words[3]); // throws on a family written twice
            }
            else if (!line.StartsWith("# HELP ", StringComparison.Ordinal))
            {
                page.Samples.Add(ParseSample(line));
            }
        }

        return page;
    }

    public double Value(string name, params (string Name, string Value)[] labels) =>
        Samples.Single(s => s.Name == name && labels.All(l => s.Labels.TryGetValue(l.Name, out var value) && value == l.Value)).Value;

    private static (string, SortedDictionary<string, string>, double) ParseSample(string line)
    {
        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var at = line.IndexOfAny(['{', ' ']);
        var name = line[..at];
        Assert.Matches("^[a-zA-Z_:][a-zA-Z0-9_:]*$", name);
        if (line[at] == '{')
        {
            while (line[at] != '}')
            {
                var equals = line.IndexOf('=', at);
                var label = line[(at + 1)..equals];
                Assert.Matches("^[a-zA-Z_][a-zA-Z0-9_]*$", label);
                Assert.Equal('"', line[equals + 1]);
                var value = new StringBuilder();
                for (at = equals + 2; line[at] != '"'; at++)
                {
                    value.Append(line[at] != '\\' ? line[at] : line[++at] switch { 'n' => '\n', var c => c });
                }

                labels.Add(label, value.ToString());
                at++;
            }

            at++;
        }

        Assert.Equal(' ', line[at]);
        var number = line[(at + 1)..] switch { "+Inf" => "Infinity", "-Inf" => "-Infinity", var other => other };
        return (name, labels, double.Parse(number, CultureInfo.InvariantCulture));
    }
}
