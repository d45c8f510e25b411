using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TokenFactory.Storage.Journal;

namespace TokenFactory.Inference.Ledger;

/// <summary>
/// Settlements that the store did not take when their answer ended, offered again until it does: an admission must not stay
/// open for as long as this process lives. Bounded; what is over the bound, or still here at the end, the next start closes
/// as an orphan. A settlement that was written after all stays as it is.
/// </summary>
internal sealed partial class LateSettlements(IJournal journal, LedgerOptions options, TimeProvider clock, ILogger<LateSettlements> logger) : BackgroundService
{
    private readonly Lock _gate = new();
    private readonly Queue<Settlement> _waiting = new();

    public void Keep(Settlement settlement)
    {
        lock (_gate)
        {
            if (_waiting.Count < options.LateSettlements)
            {
                _waiting.Enqueue(settlement);
                return;
            }
        }

        Log.LeftOpen(logger, settlement.Admission.RequestId);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await OfferAsync();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(options.OfferLateEvery, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await OfferAsync();
        }
    }

    private async Task OfferAsync()
    {
        while (journal.IsWritable && Next() is { } settlement)
        {
            try
            {
                await journal.SettleOnceAsync(settlement);
                Log.Settled(logger, settlement.Admission.RequestId);
            }
            catch (JournalUnavailableException)
            {
                Keep(settlement);
                return;
            }
        }
    }

    private Settlement? Next()
    {
        lock (_gate)
        {
            return _waiting.TryDequeue(out var settlement) ? settlement : null;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(9101, LogLevel.Warning, "{RequestId} is settled late: the store takes records again")]
        public static partial void Settled(ILogger logger, Guid requestId);

        [LoggerMessage(9102, LogLevel.Error, "{RequestId} stays open until the next start: too many settlements wait for the store")]
        public static partial void LeftOpen(ILogger logger, Guid requestId);
    }
}
