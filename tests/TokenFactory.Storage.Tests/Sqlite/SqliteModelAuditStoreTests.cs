using TokenFactory.Storage.Tests.ModelAudit;

namespace TokenFactory.Storage.Tests.Sqlite;

public sealed class SqliteModelAuditStoreTests : ModelAuditStoreContract
{
    private protected override async Task<StoreUnderTest> OpenAsync() => await SqliteUnderTest.OpenAsync();
}
