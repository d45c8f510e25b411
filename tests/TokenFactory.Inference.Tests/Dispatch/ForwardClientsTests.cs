using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using TokenFactory.Inference.Dispatch;
using TokenFactory.Inference.Dispatch.Connecting;
using Xunit;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace TokenFactory.Inference.Tests.Dispatch;

/// <summary>The client of a deployment whose endpoint a tenant named.</summary>
public sealed class ForwardClientsTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddGatewayMetrics().BuildServiceProvider();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<string> _resolved = [];

    public ForwardClientsTests() => _listener.Start();

    public void Dispose()
    {
        _listener.Dispose();
        _services.Dispose();
    }

    [Fact]
    public async Task P9_it_connects_by_the_rule_alone_whatever_the_name_resolves_to()
    {
        using var guarded = Client(reach: "");
        using var permitted = Client(reach: "127.0.0.0/8");

        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => SendAsync(guarded));
        Assert.IsType<AddressNotAllowedException>(refused.InnerException);
        Assert.False(_listener.Pending());
        Assert.Equal(HttpStatusCode.OK, (await ServedAsync(permitted, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")).StatusCode);
        Assert.Equal(["llm.acme.example", "llm.acme.example"], _resolved);
    }

    [Fact]
    public async Task P9_a_redirect_is_an_answer_and_not_an_order()
    {
        using var client = Client(reach: "127.0.0.0/8");

        var answer = await ServedAsync(client, "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://elsewhere.example/\r\ncontent-length: 0\r\n\r\n");

        Assert.Equal(HttpStatusCode.TemporaryRedirect, answer.StatusCode);
        Assert.Equal(["llm.acme.example"], _resolved);
    }

    [Fact]
    public void A_changed_rule_makes_a_new_client_and_an_unchanged_one_keeps_its_connections()
    {
        using var before = Client(reach: "10.20.0.0/16");

        Assert.Same(before, Clients().CreateClient(Context("10.20.0.0/16", "10.20.0.0/16", before)));
        using var narrower = Clients().CreateClient(Context("10.20.0.0/16", "", before));
        using var free = Clients().CreateClient(Context("10.20.0.0/16", null, before));
        Assert.NotSame(before, narrower);
        Assert.NotSame(before, free);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private async Task<HttpResponseMessage> ServedAsync(HttpMessageInvoker client, string answer)
    {
        var asking = SendAsync(client);
        using var server = await _listener.AcceptTcpClientAsync(Cancel);
        var stream = server.GetStream();
        Assert.True(await stream.ReadAsync(new byte[4096], Cancel) > 0);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(answer), Cancel);
        return await asking;
    }

    private Task<HttpResponseMessage> SendAsync(HttpMessageInvoker client) =>
        client.SendAsync(new HttpRequestMessage(HttpMethod.Get, $"http://llm.acme.example:{((IPEndPoint)_listener.LocalEndpoint).Port}/v1/models"), Cancel);

    private HttpMessageInvoker Client(string reach) => Clients().CreateClient(Context(null, reach, null));

    private ForwardClients Clients() => new(
        _ => throw new InvalidOperationException("nothing here answers inside the gateway"),
        (host, _) =>
        {
            _resolved.Add(host);
            return Task.FromResult<IPAddress[]>([IPAddress.Loopback]);
        },
        _services.GetRequiredService<GatewayMetrics>(),
        NullLogger<ForwardClients>.Instance);

    private static ForwarderHttpClientContext Context(string? oldReach, string? newReach, HttpMessageInvoker? old) => new()
    {
        ClusterId = "acme-llm",
        OldConfig = HttpClientConfig.Empty,
        NewConfig = HttpClientConfig.Empty,
        OldMetadata = old is null ? null : Metadata(oldReach),
        NewMetadata = Metadata(newReach),
        OldClient = old,
    };

    private static Dictionary<string, string> Metadata(string? reach)
    {
        var metadata = new Dictionary<string, string> { [ForwardClients.KindKey] = "OpenAi", [ForwardClients.ConnectKey] = "5000" };
        if (reach is not null)
        {
            metadata[ForwardClients.ReachKey] = reach;
        }

        return metadata;
    }
}
