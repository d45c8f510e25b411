using System.Net;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Addresses;
using TokenFactory.Inference.ReadModel.Routes;
using TokenFactory.Storage.Ledger;
using TokenFactory.TestKit.Upstream;
using TokenFactory.TestKit.Upstream.Steps;
using Xunit;

namespace TokenFactory.Inference.Tests.Dispatch.Connecting;

/// <summary>What the gateway does not send, on the whole path: how its caller, the record and the operator hear of it.</summary>
public sealed class WithheldTests
{
    private const string Name = "llm.acme.example";

    [Fact]
    public async Task P9_an_endpoint_at_a_forbidden_address_is_a_failed_deployment_and_its_address_is_the_operators_to_know()
    {
        await using var inner = await FakeUpstream.StartAsync();
        await using var good = await FakeUpstream.StartAsync();
        var own = Own(inner);
        await using var gateway = await InProcessGateway.StartAsync(Registry(Route("alone", own), Route("with-another", own, Shared(good))), (Name, "127.0.0.1"));

        var refused = await gateway.ChatAsync("alone");
        var rescued = await gateway.ChatAsync("with-another");

        Assert.Equal((HttpStatusCode.BadGateway, "address_not_allowed"), (refused.Status, refused.Record.Error));
        Assert.Equal(("address_not_allowed", null), (Assert.Single(refused.Record.Attempts).Error, refused.Record.Attempts[0].Status));
        Assert.Equal((Evidence.KnownZero, Outcome.Failed), (refused.Record.Evidence, refused.Record.Outcome));
        Assert.DoesNotContain("127.0.0.1", refused.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("loopback", refused.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(Name, refused.Text, StringComparison.Ordinal);
        Assert.Contains(gateway.Log, line => line.Contains(Name, StringComparison.Ordinal) && line.Contains("127.0.0.1 (loopback)", StringComparison.Ordinal));
        Assert.Equal((HttpStatusCode.OK, "address_not_allowed, "), (rescued.Status, string.Join(", ", rescued.Record.Attempts.Select(attempt => attempt.Error))));
        Assert.Empty(inner.Requests);
    }

    [Fact]
    public async Task P9_probes_are_held_to_the_same_rule()
    {
        await using var inner = await FakeUpstream.StartAsync();
        await using var gateway = await InProcessGateway.StartAsync(
            Registry(Route("alone", Own(inner) with { HealthPath = "models", HealthInterval = TimeSpan.FromMilliseconds(50) })), (Name, "127.0.0.1"));

        for (var i = 0; i < 400 && !gateway.Log.Any(line => line.Contains("127.0.0.1 (loopback)", StringComparison.Ordinal)); i++)
        {
            await Task.Delay(25, TestContext.Current.CancellationToken);
        }

        Assert.Contains(gateway.Log, line => line.Contains("127.0.0.1 (loopback)", StringComparison.Ordinal));
        Assert.Empty(inner.Requests);
    }

    [Fact]
    public async Task A_permitted_network_is_connected_to_by_its_name()
    {
        await using var inner = await FakeUpstream.StartAsync();
        var own = Own(inner);
        await using var gateway = await InProcessGateway.StartAsync(Registry(Route("alone", own with { Provider = own.Provider with { Reach = AddressRule.Parse("127.0.0.0/8") } })), (Name, "127.0.0.1"));

        Assert.Equal(HttpStatusCode.OK, (await gateway.ChatAsync("alone")).Status);
        Assert.Equal($"{Name}:{inner.Port}", Assert.Single(inner.Requests).Headers.Host);
    }

    /// <summary>A request lives by the registry it began with; the proxy's clusters by the newest. Between them neither prompt nor credential goes astray.</summary>
    [Fact]
    public async Task P8_a_request_whose_fallback_became_another_server_meanwhile_is_not_sent_there()
    {
        await using var first = await FakeUpstream.StartAsync();
        await using var before = await FakeUpstream.StartAsync();
        await using var after = await FakeUpstream.StartAsync();
        var gate = new Gate();
        first.Next(Script.Status(500).Stalls(Place.Start, gate));
        var second = Shared(before) with { Name = "second" };
        var elsewhere = second with { Endpoints = [after.BaseUrl], Provider = second.Provider with { Credential = new Secret("sk-elsewhere") } };
        await using var gateway = await InProcessGateway.StartAsync(Registry(Route("m", Shared(first), second), Route("probe", second)));

        var asking = gateway.ChatAsync("m");
        await gate.Reached;
        gateway.Publish(Registry(Route("m", Shared(first)), Route("probe", elsewhere)));
        for (var i = 0; i < 400 && after.Requests.Count == 0; i++)
        {
            await gateway.ChatAsync("probe");
        }

        var known = after.Requests.Count;
        gate.Open();
        var (status, text, record) = await asking;

        Assert.True(known > 0);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "backend_failed, endpoint_changed"), (status, string.Join(", ", record.Attempts.Select(attempt => attempt.Error))));
        Assert.Contains("Send it again", text, StringComparison.Ordinal);
        Assert.Equal(known, after.Requests.Count);
        Assert.DoesNotContain(after.Requests, request => request.Key == "sk-shared");
    }

    private static Registry Registry(params ModelRoute[] routes) => new(routes.SelectMany(route => route.Targets).Select(target => target.Deployment).DistinctBy(deployment => deployment.Name), routes);

    private static ModelRoute Route(string name, params Deployment[] deployments) =>
        new(ModelPattern.Parse(name), [.. deployments.Select((deployment, i) => new RouteTarget(deployment, i, 1))], LimitSet.None);

    private static Deployment Own(FakeUpstream backend) => new()
    {
        Name = "own",
        Provider = new Provider("own", ProviderKind.OpenAi, null, new Secret("sk-acme")) { Tenant = "acme", Reach = AddressRule.PublicOnly },
        Endpoints = [new Uri($"http://{Name}:{backend.Port}/v1")],
        HealthPath = null,
        Circuit = null,
    };

    private static Deployment Shared(FakeUpstream backend) => new()
    {
        Name = "shared",
        Provider = new Provider("shared", ProviderKind.OpenAi, null, new Secret("sk-shared")),
        Endpoints = [backend.BaseUrl],
        HealthPath = null,
        Circuit = null,
    };
}
