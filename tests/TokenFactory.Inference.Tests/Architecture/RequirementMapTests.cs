using System.Text.RegularExpressions;
using Xunit;

namespace TokenFactory.Inference.Tests.Architecture;

/// <summary>A requirement counts as fulfilled by the tests that docs/requirements.md names: so those exist.</summary>
public sealed partial class RequirementMapTests
{
    [Fact]
    public void Every_test_that_a_requirement_names_exists()
    {
        var house = WallTests.FindHouse();
        var named = Named().Matches(File.ReadAllText(Path.Combine(house, "docs", "requirements.md"))).Select(match => (Class: match.Groups["class"].Value, Method: match.Groups["method"].Value)).ToList();
        var sources = Directory.EnumerateFiles(Path.Combine(house, "tests"), "*.cs", SearchOption.AllDirectories)
            .ToLookup(file => Path.GetFileNameWithoutExtension(file), File.ReadAllText, StringComparer.Ordinal);

        Assert.NotEmpty(named);
        Assert.DoesNotContain(named, test => !sources[test.Class].Any(source => test.Method.Length == 0 || source.Contains($" {test.Method}(", StringComparison.Ordinal)));
    }

    [GeneratedRegex(@"`(?<class>\w+(?:Tests|Contract))(?:\.(?<method>\w+))?`")]
    private static partial Regex Named();
}
