using TokenFactory.Storage.Tests.Requests;

namespace TokenFactory.Storage.Tests.Postgres;

public sealed class PostgresRequestHistoryTests : RequestHistoryContract
{
    private protected override async Task<StoreUnderTest> OpenAsync() => await PostgresUnderTest.OpenAsync();

    private protected override async Task<StoreUnderTest> OpenTellingAsync() => await PostgresUnderTest.OpenAsync(lifecycleEvents: true);
}
