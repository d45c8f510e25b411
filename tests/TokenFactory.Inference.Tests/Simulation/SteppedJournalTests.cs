using TokenFactory.Storage;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Journal.Writer;
using TokenFactory.TestKit.Clock;
using TokenFactory.TestKit.Contracts;
using Xunit;

namespace TokenFactory.Inference.Tests.Simulation;

public sealed class SteppedJournalTests
{
    [Fact]
    public async Task P2_A_settlement_that_waits_behind_its_failed_admission_is_not_written_after_a_long_sleep()
    {
        var clock = new FakeClock();
        using var store = new FailingOnce();
        await using var journal = new SteppedJournal(clock, store, queue: 10, batch: 1);
        Assert.True(journal.TryOpen());
        var admission = SomeRequest.Admission(Guid.Empty);
        var admitted = journal.AdmitAsync(admission);
        var settled = journal.SettleOnceAsync(SomeRequest.Settlement(admission));

        journal.Turn();
        clock.Advance(TimeSpan.FromMinutes(1));
        journal.Turn();
        journal.Turn();

        await Assert.ThrowsAsync<JournalUnavailableException>(() => admitted);
        await Assert.ThrowsAsync<JournalUnavailableException>(() => settled);
        Assert.Equal(0, store.Written);
        Assert.True(journal.Works);
    }

    private sealed class FailingOnce : IBatchStore
    {
        private bool _hasFailed;

        public bool Gathers => false;

        public int Written { get; private set; }

        public void Open()
        {
        }

        public void Write(IReadOnlyList<Entry> batch)
        {
            if (!_hasFailed)
            {
                _hasFailed = true;
                throw new StorageException("the store is away");
            }

            Written += batch.Count;
        }

        public void Close()
        {
        }

        public void Dispose()
        {
        }
    }
}
