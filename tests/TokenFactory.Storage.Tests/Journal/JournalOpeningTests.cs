using Microsoft.Extensions.Logging.Abstractions;
using TokenFactory.Storage.Journal.Writer;
using TokenFactory.Storage.Outbox;
using Xunit;

namespace TokenFactory.Storage.Tests.Journal;

public sealed class JournalOpeningTests
{
    [Fact]
    public async Task P1_opening_the_store_leaves_the_callers_thread_free_to_bring_the_stores_answer()
    {
        using var answer = new ManualResetEventSlim();
        await using var journal = new AnyJournal(new Store(() => Assert.True(answer.Wait(TimeSpan.FromSeconds(10)), "nobody brought the answer")));

        var opened = journal.OpenAsync();
        Assert.False(journal.IsWritable);
        answer.Set();
        await opened;

        Assert.True(journal.IsWritable);
    }

    [Fact]
    public async Task P1_a_store_that_cannot_be_opened_fails_the_start_and_takes_nothing()
    {
        await using var journal = new AnyJournal(new Store(() => throw new StorageException("the disk is on fire")));

        var refusal = await Assert.ThrowsAsync<StorageException>(journal.OpenAsync);

        Assert.Equal("the disk is on fire", refusal.Message);
        Assert.False(journal.IsWritable);
    }

    private sealed class AnyJournal(IBatchStore store)
        : GroupJournal(store, queueCapacity: 16, batchSize: 8, new OutboxSignal(), TimeProvider.System, NullLogger.Instance);

    private sealed class Store(Action open) : IBatchStore
    {
        public bool Gathers => false;

        public void Open() => open();

        public void Write(IReadOnlyList<Entry> batch)
        {
        }

        public void Close()
        {
        }

        public void Dispose()
        {
        }
    }
}
