using TokenFactory.TestKit.Contracts;

namespace TokenFactory.Storage.Tests.Sqlite;

public sealed class SqliteJournalTests : JournalContract
{
    protected override async Task<JournalUnderTest> OpenAsync(int? queueCapacity = null) => await SqliteUnderTest.OpenAsync(queueCapacity: queueCapacity);
}
