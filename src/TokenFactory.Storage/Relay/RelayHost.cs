using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TokenFactory.Storage.Outbox;

namespace TokenFactory.Storage.Relay;

/// <summary>Runs one relay per sink and the outbox's retention. A stop flushes, for a bounded time.</summary>
internal sealed partial class RelayHost(
    IReadOnlyList<ISink> sinks, IOutbox outbox, RelayOptions options, TimeProvider clock, ILogger<RelayHost> logger) : IHostedService, IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _abort = new();
    private readonly RelayMetrics _metrics = new(clock);
    private Task _loops = Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var relays = sinks.Select(sink => new SinkRelay(sink, outbox, options, _metrics, clock, Random.Shared, logger).RunAsync(_stopping.Token, _abort.Token));
        _loops = Task.WhenAll([.. relays, TrimAsync()]);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _loops.WaitAsync(options.FlushAtStop, clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _abort.CancelAsync();
        await _loops.WaitAsync(options.FlushAtStop, clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _abort.Dispose();
        _metrics.Dispose();
        foreach (var sink in sinks.OfType<IDisposable>())
        {
            sink.Dispose();
        }
    }

    private async Task TrimAsync()
    {
        var names = sinks.Select(sink => sink.Name).ToArray();
        while (!_stopping.IsCancellationRequested)
        {
            await Task.Delay(options.TrimEvery, clock, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                while (!_stopping.IsCancellationRequested && await outbox.TrimAsync(names) > 0)
                {
                }
            }
            catch (Exception cause)
            {
                // The edge of a background loop: what could not be removed now is removed a minute later.
                Log.TrimFailed(logger, cause);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(11311, LogLevel.Warning, "Old events could not be removed from the outbox; trying again later")]
        public static partial void TrimFailed(ILogger logger, Exception cause);
    }
}
