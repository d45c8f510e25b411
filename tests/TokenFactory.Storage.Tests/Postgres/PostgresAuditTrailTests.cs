using TokenFactory.Storage.Tests.Audit;

namespace TokenFactory.Storage.Tests.Postgres;

public sealed class PostgresAuditTrailTests : AuditTrailContract
{
    private protected override async Task<StoreUnderTest> OpenAsync() => await PostgresUnderTest.OpenAsync();
}
