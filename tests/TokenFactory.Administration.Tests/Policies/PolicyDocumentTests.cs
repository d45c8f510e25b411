using TokenFactory.Administration.Configuration;
using TokenFactory.Administration.Policies;
using TokenFactory.TestKit.Processes;

namespace TokenFactory.Administration.Tests.Policies;

public sealed class PolicyDocumentTests
{
    [Fact]
    public void The_sample_passes_its_own_tests_and_each_of_them_can_fail()
    {
        var (document, mistakes) = PolicyDocumentReader.ReadFile(Sample());

        Assert.True(document is not null, string.Join('\n', mistakes));
        Assert.All(document.Cases, policyCase => Assert.Null(policyCase.FaultIn(document.Bundle)));
        Assert.All(document.Cases.Select(one => one with { IsAllowed = !one.IsAllowed }), policyCase => Assert.NotNull(policyCase.FaultIn(document.Bundle)));
        Assert.Contains(
            "expected the rules eu-only", document.Cases[0] with { Rules = ["eu-only", "more"] } is var other ? other.FaultIn(document.Bundle) : null, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_mistake_is_told_at_once_with_its_line()
    {
        var mistakes = Mistakes("""
            version: v1
            default: perhaps
            vocabulary: { tier: [tier-1] }
            rules:
              - { id: one, when: { tier: tier-l }, deny: [code] }
              - { id: two }
              - { id: three, when: { teir: tier-1 }, allow: true }
              - { id: one, allow: true }
              - { id: four, restrict: {} }
              - { id: five, deny: [] }
            """);

        foreach (var expected in (string[])
            [
                ":2:", ":5:30", "did you mean 'tier-1'?", ":6:", "this rule does nothing", "unknown key 'teir'; known here: tenant",
                "there is a rule named 'one' already", "it restricts nothing", "name the reason codes",
            ])
        {
            Assert.Contains(expected, mistakes, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void P6_What_a_caller_says_of_itself_cannot_be_what_lets_it_in()
    {
        var mistakes = Mistakes("version: v1\ndefault: deny\nrules: [ { id: a, when: { environment: staging }, allow: true }, { id: b, when: { tenant: acme }, allow: true } ]");

        Assert.Single(mistakes.Split('\n'));
        Assert.Contains("an allow may not rest on environment", mistakes, StringComparison.Ordinal);
    }

    [Fact]
    public void P12_A_rule_without_an_id_is_a_mistake_under_either_default()
    {
        Assert.Contains(":3:", Mistakes("version: v1\ndefault: deny\nrules: [ { allow: true } ]"), StringComparison.Ordinal);
        Assert.Contains(":3:", Mistakes("version: v1\ndefault: allow\nrules: [ { deny: x } ]"), StringComparison.Ordinal);
    }

    [Fact]
    public void P6_A_provider_that_does_not_exist_and_a_list_that_names_nobody_are_mistakes()
    {
        using var folder = new TempFolder();
        var config = folder.Write("gateway.yaml", "policy: { bundle: rules.yaml }\nproviders: [ { name: openai, kind: openai } ]");
        folder.Write("rules.yaml", "version: v1\nrules:\n- { id: a, restrict: { deny_providers: [opennai] } }\n- { id: b, restrict: { providers: [], regions: [eu] } }");

        var mistakes = ConfigurationReader.ReadFile(config, new Dictionary<string, string>()).Mistakes.Select(mistake => mistake.ToString()).ToList();

        Assert.Equal(2, mistakes.Count);
        Assert.StartsWith("rules.yaml:3:", mistakes[0], StringComparison.Ordinal);
        Assert.Contains("did you mean 'openai'?", mistakes[0], StringComparison.Ordinal);
        Assert.Contains("rules[1].restrict.providers: empty", mistakes[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_bundles_mistakes_are_the_configurations_and_its_content_is_part_of_the_revision()
    {
        using var folder = new TempFolder();
        var config = folder.Write("gateway.yaml", "policy: { bundle: rules.yaml }");
        folder.Write("rules.yaml", "version: v1\nrules: [ { id: a } ]");
        var refused = ConfigurationReader.ReadFile(config, new Dictionary<string, string>());
        folder.Write("rules.yaml", "version: v1\nrules: [ { id: a, deny: x } ]");
        var first = ConfigurationReader.ReadFile(config, new Dictionary<string, string>());
        folder.Write("rules.yaml", "version: v1\nrules: [ { id: a, deny: y } ]");
        var second = ConfigurationReader.ReadFile(config, new Dictionary<string, string>());

        Assert.StartsWith("rules.yaml:2:", Assert.Single(refused.Mistakes).ToString(), StringComparison.Ordinal);
        Assert.Contains(folder.File("rules.yaml"), first.Files);
        Assert.Equal("v1", first.Configuration!.Policy.Version);
        Assert.NotEqual(first.Configuration.Revision, second.Configuration!.Revision);
    }

    [Fact]
    public void P12_A_shadow_bundles_mistakes_stop_the_start_too_and_its_content_is_part_of_the_revision()
    {
        using var folder = new TempFolder();
        var config = folder.Write("gateway.yaml", "policy: { bundle: rules.yaml, shadow: next.yaml }\nproviders: [ { name: openai, kind: openai } ]");
        folder.Write("rules.yaml", "version: v1\nrules: [ { id: a, deny: x } ]");
        folder.Write("next.yaml", "version: v2\nrules: [ { id: a, restrict: { providers: [opennai] } } ]");
        var refused = ConfigurationReader.ReadFile(config, new Dictionary<string, string>());
        folder.Write("next.yaml", "version: v2\nrules: [ { id: a, restrict: { providers: [openai] } } ]");
        var first = ConfigurationReader.ReadFile(config, new Dictionary<string, string>());
        folder.Write("next.yaml", "version: v3\nrules: [ { id: a, restrict: { providers: [openai] } } ]");
        var second = ConfigurationReader.ReadFile(config, new Dictionary<string, string>());

        Assert.StartsWith("next.yaml:2:", Assert.Single(refused.Mistakes).ToString(), StringComparison.Ordinal);
        Assert.Contains("did you mean 'openai'?", refused.Mistakes[0].Message, StringComparison.Ordinal);
        Assert.Contains(folder.File("next.yaml"), first.Files);
        Assert.Equal(("v1", "v2"), (first.Configuration!.Policy.Version, first.Configuration.ShadowPolicy!.Version));
        Assert.NotEqual(first.Configuration.Revision, second.Configuration!.Revision);
    }

    private static string Mistakes(string yaml)
    {
        using var folder = new TempFolder();
        var (document, mistakes) = PolicyDocumentReader.ReadFile(folder.Write("rules.yaml", yaml));
        Assert.Null(document);
        return string.Join('\n', mistakes);
    }

    private static string Sample()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "TokenFactory.Gateway.sln")))
        {
            directory = directory.Parent ?? throw new DirectoryNotFoundException("no solution above the tests");
        }

        return Path.Combine(directory.FullName, "docs", "operations", "policy.example.yaml");
    }
}
