using TokenFactory.Storage.Tests.Registry;

namespace TokenFactory.Storage.Tests.Sqlite;

public sealed class SqliteRegistryTablesTests : RegistryTablesContract
{
    private protected override async Task<StoreUnderTest> OpenAsync() => await SqliteUnderTest.OpenAsync();
}
