using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using TokenFactory.Inference.Dispatch.Connecting;
using TokenFactory.Inference.ReadModel.Addresses;
using Xunit;

namespace TokenFactory.Inference.Tests.Dispatch.Connecting;

/// <summary>A name that somebody else gave us leads to where it was judged to lead, or nowhere.</summary>
public sealed class GuardedConnectTests : IDisposable
{
    private static readonly AddressRule _loopback = AddressRule.Parse("127.0.0.0/8");

    private readonly ServiceProvider _services = new ServiceCollection().AddGatewayMetrics().BuildServiceProvider();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Lines _log = new();
    private int _questions;

    public GuardedConnectTests() => _listener.Start();

    private int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Dispose()
    {
        _listener.Dispose();
        _services.Dispose();
    }

    [Fact]
    public async Task It_connects_to_an_address_that_it_judged()
    {
        await using var stream = await Guard(_loopback, "127.0.0.1").ConnectAsync(new DnsEndPoint("llm.acme.example", Port), Cancel);
        using var server = await _listener.AcceptSocketAsync(Cancel);

        Assert.Equal(1, _questions);
        Assert.Equal(IPAddress.Loopback, ((IPEndPoint)server.RemoteEndPoint!).Address);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("8.8.8.8", "127.0.0.1")]
    [InlineData("127.0.0.1", "8.8.8.8")]
    [InlineData("2606:4700:4700::1111", "8.8.8.8", "::ffff:169.254.169.254")]
    [InlineData("64:ff9b::7f00:1")]
    public async Task P9_one_address_that_is_not_public_refuses_all_of_them(params string[] addresses)
    {
        var refused = await Assert.ThrowsAsync<AddressNotAllowedException>(() => Guard(AddressRule.PublicOnly, addresses).ConnectAsync(new DnsEndPoint("llm.acme.example", Port), Cancel).AsTask());

        Assert.False(_listener.Pending());
        Assert.DoesNotContain(addresses, address => refused.ToString().Contains(address, StringComparison.Ordinal));
        Assert.Contains(addresses, address => Assert.Single(_log.Written).Contains(address, StringComparison.Ordinal));
    }

    /// <summary>Rebinding: whoever runs the name server answers with a good address to whoever looks, and with another to whoever connects.</summary>
    [Fact]
    public async Task P9_a_name_is_resolved_once_so_that_it_cannot_lead_elsewhere_the_second_time()
    {
        // The first answer may be connected to, and nobody listens there; the second is where the listener is.
        var guard = new GuardedConnect(
            "acme-llm", AddressRule.Parse("127.0.0.2/32"), (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse(_questions++ == 0 ? "127.0.0.2" : "127.0.0.1")]), Metrics, _log);

        await Assert.ThrowsAsync<SocketException>(() => guard.ConnectAsync(new DnsEndPoint("llm.acme.example", Port), Cancel).AsTask());

        Assert.Equal(1, _questions);
        Assert.False(_listener.Pending());
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("0177.0.0.1")]
    [InlineData("2130706433")]
    [InlineData("0x7f000001")]
    [InlineData("127.1")]
    [InlineData("::ffff:7f00:1")]
    public async Task P9_an_address_in_place_of_a_name_is_judged_too_in_whatever_spelling(string host)
    {
        await Assert.ThrowsAsync<AddressNotAllowedException>(() => Guard(AddressRule.PublicOnly, "8.8.8.8").ConnectAsync(new DnsEndPoint(host, Port), Cancel).AsTask());

        Assert.Equal(0, _questions);
        Assert.False(_listener.Pending());
    }

    [Fact]
    public async Task The_next_address_is_asked_when_one_does_not_answer()
    {
        // Nobody listens at the second loopback address.
        await using var stream = await Guard(_loopback, "127.0.0.2", "127.0.0.1").ConnectAsync(new DnsEndPoint("llm.acme.example", Port), Cancel);

        Assert.True(stream.CanWrite);
    }

    [Fact]
    public async Task When_none_answers_it_says_so_as_a_connection_does()
    {
        await Assert.ThrowsAsync<SocketException>(() => Guard(_loopback, "127.0.0.2", "127.0.0.3").ConnectAsync(new DnsEndPoint("llm.acme.example", Port), Cancel).AsTask());
        await Assert.ThrowsAsync<SocketException>(() => Guard(_loopback).ConnectAsync(new DnsEndPoint("llm.acme.example", Port), Cancel).AsTask());
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private GatewayMetrics Metrics => _services.GetRequiredService<GatewayMetrics>();

    private GuardedConnect Guard(AddressRule rule, params string[] addresses) => new(
        "acme-llm",
        rule,
        (_, _) =>
        {
            _questions++;
            return Task.FromResult<IPAddress[]>([.. addresses.Select(IPAddress.Parse)]);
        },
        Metrics,
        _log);

    private sealed class Lines : ILogger
    {
        public List<string> Written { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Written.Add(formatter(state, exception));
    }
}
