using Microsoft.Extensions.Logging;
using TokenFactory.Storage.Journal;

namespace TokenFactory.Inference.Metering;

/// <summary>Keeps a silent stream alive with comments, an interval after the last byte whatever it was. The timer is set anew
/// each time: a periodic one would find the comment before it a moment too young and stay silent for two intervals.</summary>
internal sealed partial class Heartbeat : IDisposable
{
    private readonly Delivery _delivery;
    private readonly TimeSpan _interval;
    private readonly ILogger _logger;
    private readonly ITimer _timer;

    public Heartbeat(Delivery delivery, TimeSpan interval, TimeProvider clock, ILogger logger)
    {
        (_delivery, _interval, _logger) = (delivery, interval, logger);
        _timer = clock.CreateTimer(static state => _ = ((Heartbeat)state!).BeatAsync(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(interval, Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => _timer.Dispose();

    private async Task BeatAsync()
    {
        try
        {
            _timer.Change(await _delivery.KeepAliveAsync(_interval), Timeout.InfiniteTimeSpan);
        }
        catch (Exception gone) when (gone is ObjectDisposedException or OperationCanceledException or IOException or InvalidOperationException or JournalUnavailableException)
        {
            // The request ended meanwhile, or will end with its own error: a comment is not worth one.
            Log.Missed(_logger, gone);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(8001, LogLevel.Debug, "A keep-alive comment was not sent")]
        public static partial void Missed(ILogger logger, Exception cause);
    }
}
