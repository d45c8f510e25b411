using TokenFactory.Storage.Tests.Relay;

namespace TokenFactory.Storage.Tests.Postgres;

public sealed class PostgresSinkRelayTests : SinkRelayContract
{
    private protected override async Task<StoreUnderTest> OpenAsync() => await PostgresUnderTest.OpenAsync();
}
