using Microsoft.Extensions.DependencyInjection;
using TokenFactory.Storage.Audit;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Requests;
using TokenFactory.TestKit.Contracts;

namespace TokenFactory.Storage.Tests;

/// <summary>An open store on a real database, with its inner rooms.</summary>
internal abstract class StoreUnderTest(ServiceProvider services, Guid instanceId) : JournalUnderTest
{
    public ServiceProvider Services => services;

    public override Guid InstanceId => instanceId;

    public override IJournal Journal => services.GetRequiredService<IJournal>();

    public override IUsageLedger Ledger => services.GetRequiredService<IUsageLedger>();

    public override OrphanSettler Orphans => services.GetRequiredService<OrphanSettler>();

    public IRequestHistory Requests => services.GetRequiredService<IRequestHistory>();

    public ICancellations Cancellations => services.GetRequiredService<ICancellations>();

    public IOutbox Outbox => services.GetRequiredService<IOutbox>();

    public AuditTrail Trail => services.GetRequiredService<AuditTrail>();

    public AuditVerifier Verifier => services.GetRequiredService<AuditVerifier>();

    public DeadLetters Letters => services.GetRequiredService<DeadLetters>();

    /// <summary>As whoever may do anything to the tables: also what their triggers refuse.</summary>
    public abstract Task TamperAsync(string sql);

    /// <summary>From now on a settlement of this project meets a refusal after most of it was written.</summary>
    public abstract Task RefuseRecordsOfAsync(string project);

    /// <summary>What the store does from time to time so that summaries stay quick.</summary>
    public virtual Task AddUsageUpAsync() => Task.CompletedTask;

    /// <summary>Until nothing that others have open hides what was committed from the relay.</summary>
    public virtual Task UntilRelayableAsync() => Task.CompletedTask;

    public async Task SettleAsync(int count)
    {
        var waits = Enumerable.Range(0, count).Select(_ => Journal.SettleOnceAsync(SomeRequest.Settlement(SomeRequest.Admission(InstanceId))));
        await Task.WhenAll(waits.ToArray());
    }
}
