using TokenFactory.TestKit.Contracts;

namespace TokenFactory.Storage.Tests.Postgres;

public sealed class PostgresJournalTests : JournalContract
{
    protected override async Task<JournalUnderTest> OpenAsync(int? queueCapacity = null) => await PostgresUnderTest.OpenAsync(queueCapacity: queueCapacity);
}
