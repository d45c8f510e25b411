using System.CommandLine;
using System.Text;
using TokenFactory.Administration.Configuration;
using TokenFactory.Gateway.Commands.Secrets;
using TokenFactory.TestKit.Processes;
using Xunit;

namespace TokenFactory.Gateway.Tests.Commands;

/// <summary>Sealing at the command line: the secret comes in by standard input and never comes out again.</summary>
public sealed class SecretsCommandTests : IDisposable
{
    private const string Secret = "sk-the-secret-of-acme";

    private static readonly string[] _acme = ["--provider", "acme-llm", "--tenant", "acme", "--origin", "https://llm.acme.example"];

    private readonly TempFolder _folder = new();

    public SecretsCommandTests()
    {
        _folder.Write("v1.key", Run("", "key").Output);
        _folder.Write("v2.key", Run("", "key").Output);
        _folder.Write("old.yaml", "secrets: { keys: { v1: file:v1.key } }");
        _folder.Write("both.yaml", "secrets: { keys: { v2: file:v2.key, v1: file:v1.key } }\nproviders: [ { name: acme-llm, kind: openai, credential: env:NOT_THERE_YET } ]");
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Secret)]
    [InlineData(Secret + "\n")]
    [InlineData(Secret + "\r\n")]
    public void A_sealed_secret_is_the_only_output_and_reads_as_the_credential(string input)
    {
        var (code, output, error) = Run(input, ["seal", .. _acme, "--config", _folder.File("old.yaml")]);

        Assert.Equal((0, ""), (code, error));
        Assert.Matches(@"^sealed:v1:[A-Za-z0-9_-]+\r?\n\z", output);
        Assert.Equal(Secret, CredentialIn("old.yaml", output.Trim()));
    }

    [Fact]
    public void P8_the_secret_is_neither_in_the_arguments_nor_in_what_is_printed()
    {
        var (_, output, error) = Run(Secret, ["seal", .. _acme, "--config", _folder.File("old.yaml")]);

        Assert.DoesNotContain(Secret, output + error, StringComparison.Ordinal);
        Assert.NotEqual(0, Run("", ["seal", Secret, .. _acme, "--config", _folder.File("old.yaml")]).Code);
    }

    [Fact]
    public void Rewrapping_a_configuration_changes_the_sealed_texts_in_it_alone()
    {
        var credential = Run(Secret, ["seal", .. _acme, "--config", _folder.File("old.yaml")]).Output.Trim();
        var document = $"# mine\ncredential: {credential}\n";

        var (code, output, error) = Run(document, "rewrap", "--config", _folder.File("both.yaml"));

        Assert.Equal((0, $"1 sealed under v2.{Environment.NewLine}"), (code, error));
        Assert.StartsWith("# mine\ncredential: sealed:v2:", output, StringComparison.Ordinal);
        Assert.EndsWith("\n", output, StringComparison.Ordinal);
        Assert.Equal(Secret, CredentialIn("both.yaml", output.Trim().Split(' ')[^1]));
    }

    [Theory]
    [InlineData("", "1 or more visible ASCII characters")]
    [InlineData("two words", "visible ASCII characters")]
    [InlineData("two\nlines", "visible ASCII characters")]
    [InlineData("ümlaut", "visible ASCII characters")]
    public void What_no_credential_could_be_is_not_sealed(string input, string says) => Refuses(input, says, ["seal", .. _acme, "--config", _folder.File("old.yaml")]);

    [Fact]
    public void What_is_too_long_is_not_sealed() => Refuses(new string('x', 8193), "larger than 8192 bytes", ["seal", .. _acme, "--config", _folder.File("old.yaml")]);

    [Theory]
    [InlineData("a b", "acme", "https://llm.acme.example", "--provider: a name has 1 to 64")]
    [InlineData("acme-llm", "a b", "https://llm.acme.example", "--tenant: a name has 1 to 64")]
    [InlineData("acme-llm", "acme", "llm.acme.example", "--origin: write scheme and host")]
    [InlineData("acme-llm", "acme", "https://llm.acme.example/v1", "--origin: write scheme and host")]
    [InlineData("acme-llm", "acme", "https://a:b@llm.acme.example", "--origin: write scheme and host")]
    public void What_it_is_sealed_for_is_checked_before_the_secret_is_read(string provider, string tenant, string origin, string says) =>
        Refuses(Secret, says, "seal", "--provider", provider, "--tenant", tenant, "--origin", origin, "--config", _folder.File("old.yaml"));

    [Fact]
    public void Without_a_key_it_says_where_to_write_one() => Refuses(Secret, "secrets: { keys:", ["seal", .. _acme]);

    [Fact]
    public void What_does_not_open_is_not_rewrapped()
    {
        var credential = Run(Secret, ["seal", .. _acme, "--config", _folder.File("old.yaml")]).Output.Trim();

        Refuses($"a: b\nc: {credential[..^4]}AAAA\n", "line 2: it does not open under key v1", "rewrap", "--config", _folder.File("both.yaml"));
        Refuses("a: b\n", "no sealed secret", "rewrap", "--config", _folder.File("both.yaml"));
    }

    private string CredentialIn(string file, string credential)
    {
        var keys = File.ReadAllLines(_folder.File(file))[0];
        var yaml = _folder.Write("read.yaml", $$"""
            {{keys}}
            tenants: [ { name: acme } ]
            providers: [ { name: acme-llm, kind: openai, tenant: acme, credential: '{{credential}}' } ]
            deployments: [ { name: own, provider: acme-llm, endpoints: ['https://llm.acme.example/v1'] } ]
            """);
        var reading = ConfigurationReader.ReadFile(yaml, new Dictionary<string, string>());
        Assert.True(reading.Configuration is not null, string.Join('\n', reading.Mistakes));
        return reading.Configuration.Providers[0].Credential!.Reveal();
    }

    private static void Refuses(string input, string says, params string[] arguments)
    {
        var (code, output, error) = Run(input, arguments);

        Assert.Equal((1, ""), (code, output));
        Assert.Contains(says, error, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, error, StringComparison.Ordinal);
    }

    private static (int Code, string Output, string Error) Run(string input, params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var command = SecretsCommand.Create(() => new MemoryStream(Encoding.UTF8.GetBytes(input)));
        var code = command.Parse(arguments).Invoke(new InvocationConfiguration { Output = output, Error = error });
        return (code, output.ToString(), error.ToString());
    }
}
