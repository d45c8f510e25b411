using System.Text.RegularExpressions;
using Xunit;

namespace TokenFactory.Inference.Tests.Architecture;

/// <summary>An alert on a metric that does not exist never fires: every name in the documentation is an instrument's, as Prometheus shows it.</summary>
public sealed partial class DocumentedMetricTests
{
    [Fact]
    public void Every_documented_metric_exists()
    {
        var house = WallTests.FindHouse();
        var exist = Files(Path.Combine(house, "src"), "*.cs").SelectMany(file => Instrument().Matches(File.ReadAllText(file))).Select(PrometheusName).ToHashSet();
        var told = Files(Path.Combine(house, "docs"), "*.md").Append(Path.Combine(house, "README.md"))
            .SelectMany(file => Told().Matches(File.ReadAllText(file)).Select(match => (File: Path.GetFileName(file), Name: Histogram().Replace(match.Value, "")))).ToList();

        Assert.NotEmpty(exist);
        Assert.NotEmpty(told);
        Assert.DoesNotContain(told, one => !exist.Contains(one.Name));
    }

    /// <summary>As OpenTelemetry's Prometheus exporter writes it: the unit's name behind it, and <c>_total</c> behind what only grows.</summary>
    private static string PrometheusName(Match instrument)
    {
        var (kind, name, unit) = (instrument.Groups["kind"].Value, instrument.Groups["name"].Value.Replace('.', '_'), instrument.Groups["unit"].Value);
        var suffix = unit switch { "s" => "_seconds", "By" => "_bytes", _ => "" };
        return name + (name.EndsWith(suffix, StringComparison.Ordinal) ? "" : suffix) + (kind.EndsWith("Counter", StringComparison.Ordinal) && !kind.EndsWith("UpDownCounter", StringComparison.Ordinal) ? "_total" : "");
    }

    private static IEnumerable<string> Files(string folder, string pattern) => Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories);

    [GeneratedRegex("""Create(?<kind>\w+)(?:<\w+>)?\(\s*"(?<name>tokenfactory\.[a-z_.]+)".*?, (?:"(?<unit>[^"]*)"|null)""")]
    private static partial Regex Instrument();

    [GeneratedRegex("tokenfactory_[a-z_]+")]
    private static partial Regex Told();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex Histogram();
}
