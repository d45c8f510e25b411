using TokenFactory.Storage.Tests.Registry;

namespace TokenFactory.Storage.Tests.Postgres;

public sealed class PostgresRegistryTablesTests : RegistryTablesContract
{
    private protected override async Task<StoreUnderTest> OpenAsync() => await PostgresUnderTest.OpenAsync();
}
