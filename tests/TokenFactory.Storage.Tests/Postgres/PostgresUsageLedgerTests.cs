using TokenFactory.Storage.Tests.Ledger;

namespace TokenFactory.Storage.Tests.Postgres;

public sealed class PostgresUsageLedgerTests : UsageLedgerContract
{
    private protected override async Task<StoreUnderTest> OpenAsync() => await PostgresUnderTest.OpenAsync();
}
