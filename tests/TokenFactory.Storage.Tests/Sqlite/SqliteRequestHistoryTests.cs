using TokenFactory.Storage.Tests.Requests;

namespace TokenFactory.Storage.Tests.Sqlite;

public sealed class SqliteRequestHistoryTests : RequestHistoryContract
{
    private protected override async Task<StoreUnderTest> OpenAsync() => await SqliteUnderTest.OpenAsync();

    private protected override async Task<StoreUnderTest> OpenTellingAsync() => await SqliteUnderTest.OpenAsync(lifecycleEvents: true);
}
