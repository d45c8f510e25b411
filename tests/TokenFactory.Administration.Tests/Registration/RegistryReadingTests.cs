using TokenFactory.Administration.Configuration;
using TokenFactory.Administration.Registration;
using TokenFactory.Administration.Tests.Configuration;
using TokenFactory.Storage.Registry;

namespace TokenFactory.Administration.Tests.Registration;

/// <summary>What is registered is read as though it stood in the file, with the file's bounds and not with its authority over secrets.</summary>
public sealed class RegistryReadingTests
{
    [Fact]
    public void Documents_are_read_with_the_file_and_each_may_refer_to_the_other()
    {
        var reading = Read(
            """
            registry: { allow_addresses: [10.0.0.0/8], allow_http_endpoints: true }
            models: [ { name: from-file, deployments: [ { use: registered } ] } ]
            """,
            (RegistryKind.Provider, "gpu", """{"name":"gpu","kind":"openai"}"""),
            (RegistryKind.Deployment, "registered", """{"name":"registered","provider":"gpu","endpoints":["http://10.0.0.5:8000/v1"],"usd_per_million":{"input":0.15,"output":0.6},"timeouts":{"idle":"2m"},"zone":"a","enabled":false}"""),
            (RegistryKind.Model, "chat-*", """{"match":"chat-*","deployments":[{"use":"registered"}],"strategy":"quality"}"""),
            (RegistryKind.Tier, "gold", """{"name":"gold","limits":{"requests_per_minute":5}}"""));

        Assert.True(reading.Configuration is not null, string.Join('\n', reading.Mistakes));
        var deployment = reading.Configuration.Deployments.Single(one => one.Name == "registered");
        Assert.Equal((150_000_000L, """{"zone":"a"}""", false), (deployment.Price.InputNanoUsd, deployment.Site, deployment.IsEnabled));
        Assert.Equal(TimeSpan.FromMinutes(2), deployment.Clocks!.Idle);
        Assert.Contains(reading.Configuration.Models, model => model.Pattern.ToString() == "chat-*");
        Assert.Contains(reading.Configuration.Tiers, tier => tier.Name == "gold");
        Assert.NotEqual(Read("").Configuration!.Revision, reading.Configuration.Revision);
    }

    [Theory]
    [InlineData("""{"name":"a","provider":"mine","endpoints":["https://api.example.com/v1"],"endpoint":"x"}""", "unknown key 'endpoint'")]
    [InlineData("""{"name":"llama","provider":"mine","endpoints":["https://api.example.com/v1"]}""", "there is a deployment named 'llama' already")]
    [InlineData("""{"name":"LLAMA","provider":"mine","endpoints":["https://api.example.com/v1"]}""", "there is a deployment named 'LLAMA' already")]
    [InlineData("""{"name":"a","provider":"gpu","endpoints":["https://evil.example.com/v1"]}""", "'gpu' is a provider of the file")]
    [InlineData("""["a"]""", "is no JSON object")]
    [InlineData("""{"name":"a","name":"b"}""", "is no JSON object")]
    [InlineData("""{"name":"a","provider":"mine","endpoints":["https://api.example.com/v1"],"enabled":"false"}""", "write true or false, without quotes")]
    public void P12_A_document_that_cannot_be_read_is_a_mistake_that_names_it(string body, string expected)
    {
        var reading = Read(Yaml.OneBackend, (RegistryKind.Provider, "mine", """{"name":"mine","kind":"openai"}"""), (RegistryKind.Deployment, "a", body));

        Assert.Null(reading.Configuration);
        var mistake = Assert.Single(reading.Mistakes);
        Assert.StartsWith("registry: deployment 'a': ", mistake.ToString(), StringComparison.Ordinal);
        Assert.Contains(expected, mistake.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "env:GATEWAY_PEPPER", false)]
    [InlineData("registry: { secrets: [env:OTHER] }", "env:GATEWAY_PEPPER", false)]
    [InlineData("registry: { secrets: [env:OTHER] }", "file:/etc/passwd", false)]
    [InlineData("registry: { secrets: [env:OTHER] }", "env:OTHER", true)]
    public void Documents_name_only_the_secrets_that_the_file_lists(string yaml, string reference, bool isAllowed)
    {
        var reading = Read(yaml, (RegistryKind.Provider, "p", $$"""{"name":"p","kind":"openai","credential":"{{reference}}"}"""));

        Assert.Equal(isAllowed, reading.Configuration is not null);
        Assert.All(reading.Mistakes, mistake => Assert.Contains("registry.secrets", mistake.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", "http://127.0.0.1:1/v1", false)]
    [InlineData("", "https://169.254.169.254/v1", false)]
    [InlineData("", "http://api.example.com/v1", false)]
    [InlineData("", "https://api.example.com/v1", true)]
    [InlineData("registry: { allow_addresses: [10.0.0.0/8] }", "https://10.0.0.5/v1", true)]
    [InlineData("registry: { allow_addresses: [10.0.0.0/8] }", "http://10.0.0.5/v1", false)]
    [InlineData("registry: { allow_addresses: [10.0.0.0/8], allow_http_endpoints: true }", "http://10.0.0.5/v1", true)]
    public void Registered_endpoints_are_public_unless_the_file_permits_more(string yaml, string endpoint, bool isAllowed)
    {
        var reading = Read(
            yaml,
            (RegistryKind.Provider, "p", """{"name":"p","kind":"openai"}"""),
            (RegistryKind.Deployment, "d", $$"""{"name":"d","provider":"p","endpoints":["{{endpoint}}"]}"""));

        Assert.Equal(isAllowed, reading.Configuration is not null);
        Assert.False(Read(yaml, (RegistryKind.Provider, "p", """{"name":"p","kind":"openai","connect":"any"}""")).Configuration is not null);
        Assert.False(Read(yaml, (RegistryKind.Provider, "p", """{"name":"p","kind":"openai","tenant":"default","allow_addresses":["127.0.0.0/8"]}""")).Configuration is not null);
    }

    [Fact]
    public void P12_A_document_that_cannot_be_read_any_more_is_left_out_with_what_refers_to_it_and_the_file_takes_effect()
    {
        var source = new ConfigurationSource(null, new Dictionary<string, string> { ["GATEWAY__guard__max_input_tokens"] = "77" });
        source.Registry.Take(Content(
            (RegistryKind.Provider, "gone", """{"name":"gone","kind":"openai","tenant":"nobody"}"""),
            (RegistryKind.Provider, "good", """{"name":"good","kind":"openai"}"""),
            (RegistryKind.Deployment, "theirs", """{"name":"theirs","provider":"gone","endpoints":["https://api.example.com/v1"]}"""),
            (RegistryKind.Deployment, "ours", """{"name":"ours","provider":"good","endpoints":["https://api.example.com/v1"]}"""),
            (RegistryKind.Model, "theirs", """{"name":"theirs","deployments":[{"use":"theirs"}]}"""),
            (RegistryKind.Model, "ours", """{"name":"ours","deployments":[{"use":"ours"}]}""")));

        var reading = source.Read();

        Assert.Equal(77, reading.Configuration!.Guard.MaxInputTokens);
        Assert.Contains(reading.Configuration.Models, model => model.Pattern.ToString() == "ours");
        Assert.DoesNotContain(reading.Configuration.Models, model => model.Pattern.ToString() == "theirs");
        Assert.Equal(
            ["registry: provider 'gone'", "registry: deployment 'theirs'", "registry: model 'theirs'"],
            reading.LeftOut.Select(mistake => mistake.Source).Distinct());
        Assert.Null(source.ReadWith(source.Registry.Content).Configuration);
    }

    [Fact]
    public void What_an_operator_writes_is_kept_with_its_exact_numbers_and_words()
    {
        var mistakes = new List<ConfigurationMistake>();

        var edit = Assert.Single(RegistryText.Read(
            RegistryKind.Deployment,
            """{ name: a, usd_per_million: { input: 0.150000001 }, quality: 010, version: "3.1", region: ~, streams_usage: false, note: "tab\t", timeouts: { idle: 2m } }""",
            "x.yaml", mistakes));

        Assert.Empty(mistakes);
        Assert.Equal(
            """{"name":"a","usd_per_million":{"input":0.150000001},"quality":"010","version":"3.1","region":null,"streams_usage":false,"note":"tab\t","timeouts":{"idle":"2m"}}""",
            edit.Body);
    }

    [Theory]
    [InlineData("""{"providers":[],"deployments":[],"models":[]}""", "version must be")]
    [InlineData("""{"version":-1,"providers":[],"deployments":[],"models":[]}""", "version must be")]
    [InlineData("""{"version":1.5,"providers":[],"deployments":[],"models":[]}""", "version must be")]
    [InlineData("""{"version":1,"deployments":[],"models":[]}""", "providers is missing")]
    [InlineData("""{"version":1,"providers":[],"deployments":{},"models":[]}""", "deployments must be a list")]
    [InlineData("""{"version":1,"providers":[{"kind":"openai"}],"deployments":[],"models":[]}""", "each of providers must be an object with a name")]
    [InlineData("""{"version":1,"providers":[],"deployments":[],"models":[{"name":"a"},{"match":"a"}]}""", "models has 'a' twice")]
    [InlineData("""{"version":1,"version":2,"providers":[],"deployments":[],"models":[]}""", "it is no JSON")]
    [InlineData("""{"version":1,"providers":[]""", "it is no JSON")]
    public void An_answer_of_a_control_plane_that_is_not_of_the_contract_is_refused(string body, string expected)
    {
        var refusal = Assert.Throws<FeedRefusedException>(() => FeedAnswer.Read(System.Text.Encoding.UTF8.GetBytes(body)));

        Assert.Equal(FeedRefusal.Malformed, refusal.Reason);
        Assert.Contains(expected, refusal.Message, StringComparison.Ordinal);
    }

    private static ConfigurationReading Read(string yaml, params (RegistryKind Kind, string Name, string Body)[] documents) =>
        ConfigurationReader.ReadText(
            yaml, "gateway.yaml", new Dictionary<string, string> { ["OTHER"] = "a-secret", ["GATEWAY_PEPPER"] = new string('p', 32) },
            registry: Content(documents));

    private static RegistryContent Content(params (RegistryKind Kind, string Name, string Body)[] documents) => new(1, null, [.. documents.Select(one => new RegistryDocument
    {
        Kind = one.Kind,
        Name = one.Name,
        Body = one.Body,
        Origin = RegistryOrigin.Operator,
        Revision = 1,
        ChangedAt = DateTimeOffset.UnixEpoch,
    })]);
}
