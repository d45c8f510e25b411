using TokenFactory.TestKit.Servers;
using Xunit;

namespace TokenFactory.Storage.Tests.Relay;

/// <summary>One broker for a class of tests, which run one after the other.</summary>
public sealed class RabbitFixture : IAsyncLifetime
{
    public RabbitServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await RabbitServer.StartAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
