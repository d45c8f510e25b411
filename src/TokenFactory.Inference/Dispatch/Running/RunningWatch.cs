using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Requests;

namespace TokenFactory.Inference.Dispatch.Running;

/// <summary>
/// Twice a second, while anything runs here: stops what was cancelled at another replica, and notes what has run for some seconds and
/// said nothing of its usage yet, so that every replica finds it among what runs. While the store does not answer, cancellations wait in it.
/// </summary>
internal sealed partial class RunningWatch(
    RunningRequests running, ICancellations cancellations, IJournal journal, Instance instance, TimeProvider clock, ILogger<RunningWatch> logger) : BackgroundService
{
    private static readonly TimeSpan _every = TimeSpan.FromMilliseconds(500);
    private const int MostNotesAtOnce = 256;

    private static readonly TimeSpan _lookWithin = TimeSpan.FromSeconds(5);

    /// <summary>How long a request may run before it is noted; readers look for younger ones among the newest admissions.</summary>
    private static readonly TimeSpan _noteAfter = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(_every, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!running.IsEmpty)
            {
                Note();
                await StopCancelledAsync(stoppingToken);
            }
        }
    }

    private void Note()
    {
        // A backend that stalls with thousands of requests must not fill the journal's queue in one go.
        var left = MostNotesAtOnce;
        foreach (var exchange in running.All)
        {
            if (left == 0)
            {
                return;
            }

            exchange.Running.NoteSilence(clock.GetElapsedTime(exchange.StartedAt), _noteAfter, () =>
            {
                left--;
                journal.Note(SilentlyRunning(exchange));
            });
        }
    }

    /// <summary>What an orphan without a checkpoint is settled from, and where it runs.</summary>
    private static Checkpoint SilentlyRunning(Exchange exchange) => new(
        exchange.RequestId, exchange.Placement ?? exchange.Plan.Candidates[0].PlacementFor(exchange.Ask.Model), Evidence.Estimated,
        new TokenUsage(exchange.Ask.InputEstimate, 0, 0, 0, 0));

    private async Task StopCancelledAsync(CancellationToken stopping)
    {
        using var bound = new CancellationTokenSource(_lookWithin, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(bound.Token, stopping);
        try
        {
            foreach (var requestId in await cancellations.PendingAsync(instance.Id, either.Token))
            {
                if (running.Cancel(requestId))
                {
                    Log.Stopped(logger, requestId);
                }
            }
        }
        catch (Exception cause)
        {
            // The edge of a background loop: the journal says loudly that the store is away, and the next look finds what waits.
            Log.Later(logger, cause.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(7101, LogLevel.Debug, "{RequestId} was cancelled at another place and is stopped")]
        public static partial void Stopped(ILogger logger, Guid requestId);

        [LoggerMessage(7102, LogLevel.Debug, "Whether a running request was cancelled is not known for the moment: {Reason}")]
        public static partial void Later(ILogger logger, string reason);
    }
}
