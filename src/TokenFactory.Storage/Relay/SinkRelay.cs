using Microsoft.Extensions.Logging;
using TokenFactory.Storage.Outbox;

namespace TokenFactory.Storage.Relay;

/// <summary>
/// Carries the outbox to one sink, in order: read after the cursor, deliver, move the cursor. A sink that is down is waited
/// for and loses nothing; an event that the sink refuses for good is singled out by halving its batch, parked, and passed by.
/// </summary>
internal sealed partial class SinkRelay(ISink sink, IOutbox outbox, RelayOptions options, RelayMetrics metrics, TimeProvider clock, Random random, ILogger logger)
{
    private readonly Backoff _backoff = new(options.FirstPause, options.LongestPause, clock, random);

    /// <summary>Runs until <paramref name="stopping"/> asks for a last flush or <paramref name="abort"/> ends it.</summary>
    public async Task RunAsync(CancellationToken stopping, CancellationToken abort)
    {
        // Off the caller's thread: the host starts its services one after the other.
        await Task.Yield();
        var open = false;
        while (!abort.IsCancellationRequested)
        {
            try
            {
                var next = outbox.NextCommit;

                // Before the sink is opened: how much waits, and for how long, is to be seen while it is away.
                var batch = await outbox.ReadAsync(sink.Name, sink.MaxBatch, abort);
                metrics.Seen(sink.Name, batch);
                if (!open)
                {
                    await OpenAsync(abort);
                    open = true;
                }

                var delivered = batch.Messages.Count;
                if (delivered > 0)
                {
                    await DeliverAsync(batch.Messages, abort);
                }

                _backoff.Reset();
                if (delivered > 0 && delivered < sink.MaxBatch)
                {
                    await PauseAsync(options.Linger, stopping);
                }
                else if (delivered == 0)
                {
                    if (stopping.IsCancellationRequested)
                    {
                        return;
                    }

                    await ReplayAsync(abort);
                    await WaitAsync(next, stopping);
                }
            }
            catch (Exception cause)
            {
                // The edge of a background loop: whatever fails is the sink's or the store's trouble of the moment. The cursor
                // stands where it stood, so trying again is always right.
                open = false;
                if (stopping.IsCancellationRequested)
                {
                    Log.LeftForNextStart(logger, sink.Name, cause);
                    return;
                }

                var pause = _backoff.Next();
                metrics.Failed(sink.Name);
                Log.Retrying(logger, sink.Name, pause, cause.Message);
                await PauseAsync(pause, stopping);
            }
        }
    }

    private async Task DeliverAsync(IReadOnlyList<OutboxMessage> messages, CancellationToken abort)
    {
        for (var rejections = 1; ; rejections++)
        {
            try
            {
                await HandOverAsync(messages, abort);
                await outbox.AdvanceAsync(sink.Name, messages[^1]);
                metrics.Delivered(sink.Name, messages.Count);
                return;
            }
            catch (SinkRejectedException) when (messages.Count > 1)
            {
                var half = messages.Count / 2;
                await DeliverAsync([.. messages.Take(half)], abort);
                await DeliverAsync([.. messages.Skip(half)], abort);
                return;
            }
            catch (SinkRejectedException rejection) when (messages[0].IsLost || rejections >= options.RejectionsBeforeParking)
            {
                Log.Parked(logger, sink.Name, messages[0].EventId, rejections, rejection.Message);
                await outbox.ParkAsync(sink.Name, messages[0], rejections, rejection.Message);
                return;
            }
            catch (SinkRejectedException)
            {
                await PauseAsync(_backoff.Next(), abort);
            }
        }
    }

    /// <exception cref="SinkRejectedException">Also for an event that nobody can tell: it is parked like one that is refused, and told once its record is back.</exception>
    private Task HandOverAsync(IReadOnlyList<OutboxMessage> messages, CancellationToken abort) => messages.Any(static message => message.IsLost)
        ? throw new SinkRejectedException("The event is told by its audit record, and that is not in the store or was changed. 'gateway audit verify' shows what is missing; put the record back from a backup, then replay this dead letter.")
        : sink.DeliverAsync(messages, abort);

    private async Task ReplayAsync(CancellationToken abort)
    {
        foreach (var message in await outbox.ReadReplaysAsync(sink.Name, sink.MaxBatch, abort))
        {
            string? error = null;
            try
            {
                await HandOverAsync([message], abort);
            }
            catch (SinkRejectedException rejection)
            {
                error = rejection.Message;
            }

            await outbox.EndReplayAsync(sink.Name, message.EventId, error);
            Log.Replayed(logger, sink.Name, message.EventId, error ?? "delivered");
        }
    }

    private async Task WaitAsync(Task next, CancellationToken stopping)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        if (await Task.WhenAny(next, PauseAsync(options.Poll, both.Token)) == next)
        {
            await PauseAsync(options.Linger, stopping);
        }

        // Not CancelAsync: the pause alone listens, and needs no thread of the pool to be ended.
        both.Cancel();
    }

    /// <summary>A stop ends the pause without a fuss: the loop then flushes.</summary>
    private async Task PauseAsync(TimeSpan pause, CancellationToken until)
    {
        await Task.Delay(pause, clock, until).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task OpenAsync(CancellationToken abort)
    {
        try
        {
            await sink.OpenAsync(abort);
        }
        catch
        {
            // Another replica may reach it.
            await outbox.LeaveAsync(sink.Name);
            throw;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(11301, LogLevel.Warning, "Sink {Sink} does not take events, trying again in {Pause}: {Reason}")]
        public static partial void Retrying(ILogger logger, string sink, TimeSpan pause, string reason);

        [LoggerMessage(11302, LogLevel.Error, "Sink {Sink} refused event {EventId} {Times} times; it is parked as a dead letter: {Reason}")]
        public static partial void Parked(ILogger logger, string sink, Guid eventId, int times, string reason);

        [LoggerMessage(11303, LogLevel.Information, "Sink {Sink}: replayed event {EventId}: {Outcome}")]
        public static partial void Replayed(ILogger logger, string sink, Guid eventId, string outcome);

        [LoggerMessage(11304, LogLevel.Warning, "Sink {Sink} did not take the last events; they are delivered after the next start")]
        public static partial void LeftForNextStart(ILogger logger, string sink, Exception cause);
    }
}
