using System.Collections.Frozen;
using FsCheck;
using FsCheck.Fluent;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Addresses;
using TokenFactory.Inference.ReadModel.Routes;
using Xunit;

namespace TokenFactory.Inference.Tests.ReadModel;

/// <summary>P9: what a tenant can ask for is what is everybody's and its own, and every name besides is a name that nobody has.</summary>
public sealed class TenantModelsTests
{
    private static readonly Tenant _acme = new("acme");
    private static readonly Tenant _rival = new("rival");

    [Fact]
    public void P9_a_model_that_only_another_tenant_has_is_no_model()
    {
        var registry = Of(Route("acme-llm", At("acme")), Route("shared", At(null)));

        Assert.Equal(["acme-llm", "shared"], registry.ModelsOf(_acme).Names.Order());
        Assert.NotNull(registry.ModelsOf(_acme).Find("acme-llm"));
        Assert.Equal(["shared"], registry.ModelsOf(_rival).Names);
        Assert.Null(registry.ModelsOf(_rival).Find("acme-llm"));
    }

    [Fact]
    public void P9_a_name_that_only_another_tenant_has_falls_to_the_pattern_that_any_name_falls_to()
    {
        var registry = Of(Route("acme-llm", At("acme")), Route("acme-*", At("acme")), Route("*", At(null)));

        Assert.Equal("acme-llm", registry.ModelsOf(_acme).Find("acme-llm")!.Pattern.ToString());
        Assert.Equal("acme-*", registry.ModelsOf(_acme).Find("acme-x")!.Pattern.ToString());
        Assert.Equal("*", registry.ModelsOf(_rival).Find("acme-llm")!.Pattern.ToString());
        Assert.Equal("*", registry.ModelsOf(_rival).Find("acme-x")!.Pattern.ToString());
    }

    [Fact]
    public void Of_a_model_with_shared_and_own_deployments_each_tenant_sees_its_part()
    {
        var registry = Of(Route("mixed", At(null), At("acme"), At("rival")), Route("mixed-*", At("acme"), At(null)));

        Assert.Equal(["shared", "acme"], Seen(registry, _acme, "mixed"));
        Assert.Equal(["shared", "rival"], Seen(registry, _rival, "mixed"));
        Assert.Equal(["shared"], Seen(registry, new Tenant("third"), "mixed"));
        Assert.Equal(["acme", "shared"], Seen(registry, _acme, "mixed-x"));
        Assert.Equal(["shared"], Seen(registry, _rival, "mixed-x"));
    }

    [Fact]
    public void A_tenants_own_pattern_wins_only_where_it_is_the_more_specific_one()
    {
        var registry = Of(Route("*", At("acme")), Route("gpt-*", At(null)), Route("gpt-4", At(null)));

        Assert.Equal("*", registry.ModelsOf(_acme).Find("llama")!.Pattern.ToString());
        Assert.Equal("gpt-*", registry.ModelsOf(_acme).Find("gpt-5")!.Pattern.ToString());
        Assert.Equal("gpt-4", registry.ModelsOf(_acme).Find("gpt-4")!.Pattern.ToString());
        Assert.Null(registry.ModelsOf(_rival).Find("llama"));
    }

    /// <summary>Against the plain meaning: filter every route for the tenant, then look as though there were no other tenants.</summary>
    [Fact]
    public void P9_no_registry_ever_shows_a_tenant_what_is_anothers()
    {
        string[] names = ["a", "b", "a-1", "a-*", "*-1", "*", "b*"];
        string?[] owners = [null, "acme", "rival"];
        var route = from name in Gen.Elements(names)
                    from own in Gen.Elements(owners).NonEmptyListOf()
                    select Route(name, [.. own.Distinct().Select(At)]);
        var property = Prop.ForAll(route.ListOf().ToArbitrary(), Gen.Elements("acme", "rival", "third").ToArbitrary(), (drawn, tenant) =>
        {
            var routes = drawn.DistinctBy(one => one.Pattern).ToArray();
            var models = new Registry([], routes).ModelsOf(new Tenant(tenant));
            var alone = new Registry([], routes
                .Select(one => one with { Targets = [.. one.Targets.Where(target => target.Deployment.Provider.Tenant is null || target.Deployment.Provider.Tenant == tenant)] })
                .Where(one => one.Targets.Count > 0)
                .Select(one => one with { Targets = [.. one.Targets.Select(AsShared)] })).ModelsOf(new Tenant("alone"));
            return models.Names.Order(StringComparer.Ordinal).SequenceEqual(alone.Names.Order(StringComparer.Ordinal))
                && names.Append("c").All(name => Text(models.Find(name)) == Text(alone.Find(name)));
        });

        property.Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    [Theory]
    [InlineData("https://llm.acme.example/v1/chat/completions", true)]
    [InlineData("https://LLM.acme.example:443/v1/models", true)]
    [InlineData("http://llm.acme.example/v1/chat/completions", false)]
    [InlineData("https://llm.acme.example:8443/v1/chat/completions", false)]
    [InlineData("https://llm.acme.example.evil.example/v1/chat/completions", false)]
    [InlineData("https://other.acme.example/v1/chat/completions", false)]
    [InlineData("http://loopback/v1/chat/completions", false)]
    public void P8_a_request_goes_to_the_origins_of_its_deployment_alone(string address, bool may) =>
        Assert.Equal(may, (At("acme") with { Endpoints = [new Uri("https://other.example/v1"), new Uri("https://llm.acme.example/v1")] }).MayBeAskedAt(new Uri(address)));

    [Fact]
    public void P8_what_answers_inside_is_asked_inside_and_nowhere_else()
    {
        var inside = At(null) with { Provider = new Provider("loopback", ProviderKind.Loopback, null, null) };

        Assert.True(inside.MayBeAskedAt(new Uri($"http://{Deployment.InsideHost}/v1/chat/completions")));
        Assert.False(inside.MayBeAskedAt(new Uri("http://loopback/v1/chat/completions")));
        Assert.False(inside.MayBeAskedAt(new Uri("https://llm.acme.example/v1/chat/completions")));
        Assert.False(At("acme").MayBeAskedAt(new Uri($"http://{Deployment.InsideHost}/v1/chat/completions")));
    }

    [Fact]
    public void P8_a_sealed_credential_goes_to_the_origins_it_was_sealed_for_and_to_no_other_endpoint()
    {
        var deployment = At("acme") with { Endpoints = [new Uri("https://a.example/v1"), new Uri("https://b.example/v1")] };
        deployment = deployment with { Provider = deployment.Provider with { CredentialOrigins = new[] { EndpointOrigin.Of(new Uri("https://A.example")) }.ToFrozenSet() } };

        Assert.True(deployment.MayBeAskedAt(new Uri("https://a.example/v1/models")));
        Assert.False(deployment.MayBeAskedAt(new Uri("https://b.example/v1/models")));
    }

    private static string[] Seen(Registry registry, Tenant tenant, string model) => [.. registry.ModelsOf(tenant).Find(model)!.Targets.Select(target => target.Deployment.Name)];

    private static string Text(ModelRoute? route) => route is null ? "" : $"{route.Pattern}: {string.Join(' ', route.Targets.Select(target => target.Deployment.Name))}";

    private static RouteTarget AsShared(RouteTarget target) => target with { Deployment = target.Deployment with { Provider = target.Deployment.Provider with { Tenant = null } } };

    private static Registry Of(params ModelRoute[] routes) => new([], routes);

    private static ModelRoute Route(string pattern, params Deployment[] deployments) =>
        new(ModelPattern.Parse(pattern), [.. deployments.Select(deployment => new RouteTarget(deployment, 0, 1))], LimitSet.None);

    private static Deployment At(string? tenant) =>
        new() { Name = tenant ?? "shared", Provider = new Provider(tenant ?? "shared", ProviderKind.OpenAi, null, null) { Tenant = tenant }, Endpoints = [] };
}
