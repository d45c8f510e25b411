using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TokenFactory.Storage.Journal;

namespace TokenFactory.Inference.Ledger;

/// <summary>
/// Settlements that the store did not take when their answer ended, offered again until it does: an admission must not stay
/// open for as long as this process lives. Whose admission met the same silence is offered for a while: what was sent to a store
/// that did not answer may be carried out when it wakes. Bounded; what is over the bound, or still here at the end, the next start
/// closes as an orphan.
/// </summary>
internal sealed partial class LateSettlements(IJournal journal, LedgerOptions options, TimeProvider clock, ILogger<LateSettlements> logger) : BackgroundService
{
    private const int Together = 256;
    private const int MostRefusals = 8;

    private static readonly TimeSpan _longestPause = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly Queue<Late> _waiting = new();

    /// <param name="admitted">The admission's commit, as far as it is known.</param>
    public void Keep(Settlement settlement, Task admitted) =>
        Keep(new Late(settlement, admitted.IsCompletedSuccessfully, clock.GetTimestamp(), clock.GetTimestamp(), options.OfferLateEvery, Refusals: 0));

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await OfferAsync(isLast: true).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(options.OfferLateEvery, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await OfferAsync(isLast: false);
        }
    }

    private void Keep(Late late)
    {
        lock (_gate)
        {
            if (_waiting.Count < options.LateSettlements)
            {
                _waiting.Enqueue(late);
                return;
            }
        }

        Log.LeftOpen(logger, late.Settlement.Admission.RequestId);
    }

    /// <param name="isLast">Whether this process ends, so that what is not yet due is offered as well.</param>
    internal async Task OfferAsync(bool isLast)
    {
        var due = TakeDue(isLast);
        foreach (var some in due.Chunk(Together))
        {
            await Task.WhenAll(some.Select(late => OfferAsync(late, isLast)));
        }
    }

    private async Task OfferAsync(Late late, bool isLast)
    {
        try
        {
            await journal.SettleLateAsync(late.Settlement);
            if (late.IsAdmitted)
            {
                Log.Settled(logger, late.Settlement.Admission.RequestId);
            }
            else if (!isLast && clock.GetElapsedTime(late.Since) < options.UnknownAdmissionWithin)
            {
                Keep(late with { OfferedAt = clock.GetTimestamp(), Pause = late.Pause * 2 });
            }
        }
        catch (JournalUnavailableException)
        {
            // The store is away again, and everything here is offered when it is back; or it takes others and refuses this one for what
            // it is, and then asking on for ever would only burden them.
            var refusals = late.Refusals + (journal.IsWritable ? 1 : 0);
            if (refusals >= MostRefusals)
            {
                Log.Refused(logger, late.Settlement.Admission.RequestId);
                return;
            }

            Keep(late with { OfferedAt = clock.GetTimestamp(), Pause = late.Pause * 2 < _longestPause ? late.Pause * 2 : _longestPause, Refusals = refusals });
        }
    }

    private List<Late> TakeDue(bool all)
    {
        List<Late> due = [];
        if (!journal.IsWritable)
        {
            return due;
        }

        lock (_gate)
        {
            for (var left = _waiting.Count; left > 0; left--)
            {
                var late = _waiting.Dequeue();
                if (all || clock.GetElapsedTime(late.OfferedAt) >= late.Pause)
                {
                    due.Add(late);
                }
                else
                {
                    _waiting.Enqueue(late);
                }
            }
        }

        return due;
    }

    /// <param name="IsAdmitted">Whether the admission is known to be durable: then the first offer that is taken is the last.</param>
    private sealed record Late(Settlement Settlement, bool IsAdmitted, long Since, long OfferedAt, TimeSpan Pause, int Refusals);

    private static partial class Log
    {
        [LoggerMessage(9101, LogLevel.Warning, "{RequestId} is settled late: the store takes records again")]
        public static partial void Settled(ILogger logger, Guid requestId);

        [LoggerMessage(9103, LogLevel.Error, "{RequestId} stays open until the next start: the store does not take its settlement")]
        public static partial void Refused(ILogger logger, Guid requestId);

        [LoggerMessage(9102, LogLevel.Error, "{RequestId} stays open until the next start: too many settlements wait for the store")]
        public static partial void LeftOpen(ILogger logger, Guid requestId);
    }
}
