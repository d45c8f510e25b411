using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Outbox;

namespace TokenFactory.TestKit.Contracts;

/// <summary>A journal on a real store, with what the contract needs to look behind it and to hurt it.</summary>
public abstract class JournalUnderTest : IAsyncDisposable
{
    public abstract Guid InstanceId { get; }

    public abstract IJournal Journal { get; }

    public abstract IUsageLedger Ledger { get; }

    public abstract OrphanSettler Orphans { get; }

    /// <summary>Every event, in order.</summary>
    public abstract Task<IReadOnlyList<OutboxMessage>> OutboxAsync();

    public abstract Task<long> CountAsync(string table);

    /// <summary>Holds the store so that commits wait; the longer hold of <see cref="BreakAsync"/> makes them fail.</summary>
    public abstract Task<IAsyncDisposable> HoldAsync();

    /// <summary>Makes commits fail until the returned handle is disposed.</summary>
    public abstract Task<IAsyncDisposable> BreakAsync();

    /// <summary>The same store as another process would find it if this one died now; this one is not told.</summary>
    /// <param name="instanceId">Null is a new instance.</param>
    public abstract Task<JournalUnderTest> AfterCrashAsync(Guid? instanceId = null);

    public abstract ValueTask DisposeAsync();
}
