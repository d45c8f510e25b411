using TokenFactory.Administration.Iam;
using TokenFactory.Inference.Limits;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Gateway.Hosting;

/// <summary>Makes the first key of an empty installation. Starts after the store and before the read model, so that the first snapshot has it.</summary>
internal sealed class FirstKeyPreparation(FirstKey firstKey) : IHostedService
{
    /// <summary>To be shown once; null when the installation has keys already.</summary>
    public MintedKey? Key { get; private set; }

    public async Task StartAsync(CancellationToken cancellationToken) => Key = await firstKey.EnsureAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>Tells the limiter what this month's budgets have spent. Starts after the read model and before the listener, so that no request slips in between.</summary>
internal sealed class BudgetPreparation(IUsageLedger ledger, BudgetCounters counters, TimeProvider clock) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var month = new DateTimeOffset(now.Year, now.Month, 1, 0, 0, 0, TimeSpan.Zero);
        await counters.LoadAsync(await ledger.SpendSinceAsync(month, cancellationToken), month, cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
