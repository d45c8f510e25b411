using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Http;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path.Policies;

/// <summary>A tenant's routing policy, on the whole path: three tenants ask one model of two providers.</summary>
public sealed class RoutingPolicyTests(RoutingPolicyTests.Backend backend) : IClassFixture<RoutingPolicyTests.Backend>
{
    private const string Pinned = "the-key-of-the-pinned-tenant";
    private const string Cheap = "the-key-of-the-cheap-tenant";
    private const string Frugal = "the-key-of-the-frugal-tenant";

    [Fact]
    public async Task DefaultStrategy_pinned_stays_with_its_provider_and_says_so_when_that_cannot_serve()
    {
        var served = await AskAsync(Pinned, "both");
        var refused = await AskAsync(Pinned, "dear-only");

        Assert.Equal((200, "cheap"), (served.Status, served.Headers["x-tf-provider"].ToString()));
        Assert.Equal(403, refused.Status);
        Assert.Contains("provider_not_pinned", refused.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DefaultStrategy_cheapest_goes_to_the_cheaper_provider_whatever_the_models_priorities()
    {
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal("cheap", (await AskAsync(Cheap, "both")).Headers["x-tf-provider"].ToString());
        }
    }

    [Fact]
    public async Task MaxCostPerRequestUsd_refuses_what_no_deployment_could_do_for_it()
    {
        var served = await AskAsync(Frugal, "both");
        var refused = await AskAsync(Frugal, "dear-only");

        Assert.Equal((200, "cheap"), (served.Status, served.Headers["x-tf-provider"].ToString()));
        Assert.Equal(403, refused.Status);
        Assert.Contains("request_cost", refused.Text, StringComparison.Ordinal);
    }

    private Task<RawResponse> AskAsync(string key, string model) => RawHttp.SendAsync(
        backend.Gateway.BaseUrl,
        RawHttp.Post("/v1/chat/completions", The.ChatRequest(model, maxTokens: 100), $"authorization: Bearer {key}"),
        TimeSpan.FromSeconds(30));

    public sealed class Backend : PathGateway
    {
        public override string Key => Cheap;

        protected override Dictionary<string, string?> Environment => new() { ["PINNED"] = Pinned, ["CHEAP"] = Cheap, ["FRUGAL"] = Frugal };

        protected override string Config => $$"""
            providers:
              - { name: dear, kind: openai }
              - { name: cheap, kind: openai }
            deployments:
              - { name: dear, provider: dear, endpoints: ["{{Upstream.BaseUrl}}"], usd_per_million: { input: 1000, output: 1000 }, health: { path: "false" } }
              - { name: cheap, provider: cheap, endpoints: ["{{Other.BaseUrl}}"], usd_per_million: { input: 1, output: 1 }, health: { path: "false" } }
            models:
              - { name: both, deployments: [ { use: dear }, { use: cheap, priority: 1 } ] }
              - { name: dear-only, deployments: [ { use: dear } ] }
              - { match: "*", deployments: [ { use: cheap } ] }
            tenants:
              - name: pinned
                providers: { prefer: cheap }
                strategy: pinned
                projects: [ { name: p } ]
                keys: [ { name: k, project: p, secret: env:PINNED } ]
              - name: cheap
                strategy: cheapest
                projects: [ { name: p } ]
                keys: [ { name: k, project: p, secret: env:CHEAP } ]
              - name: frugal
                max_usd_per_request: 0.001
                projects: [ { name: p } ]
                keys: [ { name: k, project: p, secret: env:FRUGAL } ]
            """;
    }
}
