namespace TokenFactory.Administration.Tests.Configuration;

public sealed class EnvironmentOverridesTests
{
    [Theory]
    [InlineData("GATEWAY__Server__BodyLimit")]
    [InlineData("GATEWAY__server__body_limit")]
    [InlineData("gateway__SERVER__BODYLIMIT")]
    public void A_key_matches_in_any_case_with_or_without_underscores(string variable)
    {
        Assert.Equal(64 << 20, Yaml.Valid("", (variable, "64MB")).Server.BodyLimitBytes);
        Assert.Equal(64 << 20, Yaml.Valid("server: { body_limit: 1MB }", (variable, "64MB")).Server.BodyLimitBytes);
    }

    [Fact]
    public void A_number_is_a_place_in_a_list_and_one_past_the_end_appends()
    {
        var configuration = Yaml.Valid(
            Yaml.OneBackend,
            ("GATEWAY__deployments__0__endpoints__0", "http://10.0.0.9:8000/v1"),
            ("GATEWAY__deployments__0__endpoints__1", "http://10.0.0.8:8000/v1"),
            ("GATEWAY__tenants__0__name", "acme"),
            ("GATEWAY__tenants__0__region", "eu"));

        Assert.Equal(["http://10.0.0.9:8000/v1", "http://10.0.0.8:8000/v1"], configuration.Deployments[0].Endpoints.Select(e => e.AbsoluteUri));
        Assert.Equal("eu", Assert.Single(configuration.Tenants).Tenant.Region);
    }

    [Fact]
    public void A_list_may_be_written_with_commas()
    {
        var configuration = Yaml.Valid("", ("GATEWAY__server__urls", "http://127.0.0.1:1, http://127.0.0.1:2"));

        Assert.Equal([1, 2], configuration.Server.Urls.Select(url => url.Port));
    }

    [Fact]
    public void Ten_places_are_applied_in_the_order_of_the_list()
    {
        var variables = Enumerable.Range(0, 12).Select(i => ($"GATEWAY__tenants__{i}__name", $"t{i}")).Reverse().ToArray();

        Assert.Equal(Enumerable.Range(0, 12).Select(i => $"t{i}"), Yaml.Valid("", variables).Tenants.Select(t => t.Tenant.Name));
    }

    [Theory]
    [InlineData("GATEWAY__server__body_limit", "much", "write a size")]
    [InlineData("GATEWAY__servr__body_limit", "1MB", "unknown key 'servr'; did you mean 'server'?")]
    [InlineData("GATEWAY__tenants__3__name", "acme", "no place in this list")]
    [InlineData("GATEWAY__server____drain", "1s", "a word between")]
    public void A_mistake_names_the_variable(string variable, string value, string says)
    {
        var mistake = Yaml.OnlyMistake("tenants: []", (variable, value));

        Assert.Equal(variable, mistake.Source);
        Assert.Contains(says, mistake.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_override_changes_the_revision_and_a_comment_does_not()
    {
        var plain = Yaml.Valid("server: { drain: 10s }").Revision;

        Assert.Equal(plain, Yaml.Valid("# why\nserver:\n  drain: 10s\n").Revision);
        Assert.NotEqual(plain, Yaml.Valid("server: { drain: 10s }", ("GATEWAY__server__drain", "11s")).Revision);
    }
}
