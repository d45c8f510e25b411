using TokenFactory.Storage.Tests.ModelAudit;

namespace TokenFactory.Storage.Tests.Postgres;

public sealed class PostgresModelAuditStoreTests : ModelAuditStoreContract
{
    private protected override async Task<StoreUnderTest> OpenAsync() => await PostgresUnderTest.OpenAsync();
}
