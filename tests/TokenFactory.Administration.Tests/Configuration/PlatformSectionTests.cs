using TokenFactory.TestKit.Iam;

namespace TokenFactory.Administration.Tests.Configuration;

public sealed class PlatformSectionTests
{
    private static readonly (string, string)[] _environment = [("PLATFORM", PlatformLine.Credential), ("PEPPER", PlatformLine.Pepper)];

    [Fact]
    public void A_platform_needs_an_address_a_credential_and_a_pepper_and_has_defaults_for_the_rest()
    {
        var iam = Yaml.Valid("iam: { mode: platform, url: https://iam.example.com/gateway/, credential: env:PLATFORM, pepper: env:PEPPER }", _environment).Iam;

        Assert.Equal("https://iam.example.com/gateway", iam.Platform!.Url.ToString());
        Assert.Equal(PlatformLine.Credential, iam.Platform.Credential.Reveal());
        Assert.Equal((1, 5, 30), (iam.Platform.Poll.TotalSeconds, iam.Platform.Timeout.TotalSeconds, iam.MaxStaleness.TotalSeconds));
        Assert.Equal(1 << 30, iam.Platform.AnswerLimitBytes);
    }

    [Fact]
    public void P12_every_mistake_of_platform_mode_is_told_at_once()
    {
        var reading = Yaml.Read("""
            iam:
              mode: platform
              url: http://iam.example.com
              credential: a-literal-credential
              max_staleness: 10s
              poll: 6s
              timeout: 0s
            tiers: [ { name: gold } ]
            tenants: [ { name: acme } ]
            """);

        Assert.Null(reading.Configuration);
        Assert.Equal(
            ["iam.credential", "iam.pepper", "iam.poll", "iam.timeout", "iam.url", "tenants", "tiers"],
            reading.Mistakes.Select(m => m.Path).Order(StringComparer.Ordinal));
        Assert.DoesNotContain(reading.Mistakes, m => m.ToString().Contains("a-literal-credential", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("url: http://127.0.0.1:9000")]
    [InlineData("url: http://localhost:9000")]
    [InlineData("url: http://iam.internal, allow_http: true")]
    public void Plain_http_is_for_this_machine_or_for_who_says_so(string url) =>
        Assert.NotNull(Yaml.Valid($"iam: {{ mode: platform, {url}, credential: env:PLATFORM, pepper: env:PEPPER }}", _environment).Iam.Platform);

    [Fact]
    public void What_a_running_process_cannot_change_is_told_when_it_changed()
    {
        const string Yaml1 = "iam: { mode: platform, url: https://iam, credential: env:PLATFORM, pepper: env:PEPPER }";
        var before = Yaml.Valid(Yaml1, _environment);

        Assert.Empty(Administration.Configuration.RestartOnly.Differ(before, Yaml.Valid(Yaml1, _environment)));
        Assert.Single(Administration.Configuration.RestartOnly.Differ(before, Yaml.Valid(Yaml1, ("PLATFORM", "another-credential"), _environment[1])));
        Assert.Single(Administration.Configuration.RestartOnly.Differ(before, Yaml.Valid("")));
    }
}
