using TokenFactory.Storage.Tests.Audit;

namespace TokenFactory.Storage.Tests.Sqlite;

public sealed class SqliteAuditTrailTests : AuditTrailContract
{
    private protected override async Task<StoreUnderTest> OpenAsync() => await SqliteUnderTest.OpenAsync();
}
