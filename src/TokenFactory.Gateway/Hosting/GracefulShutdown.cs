using System.Runtime.InteropServices;
using TokenFactory.Gateway.Health;

namespace TokenFactory.Gateway.Hosting;

/// <summary>
/// What a signal does. SIGTERM comes from an orchestrator that takes a while to tell its load balancers: the replica is
/// unready at once, goes on serving for the delay, and only then stops listening. In place of the host's own lifetime,
/// because beside it an added handler cannot keep the listener open. Ctrl-C and SIGQUIT come from somebody who waits at a
/// terminal, and a second signal from one who has no patience left: both skip the delay. What runs is drained in any case.
/// </summary>
internal sealed partial class GracefulShutdown(
    Readiness readiness, IHostApplicationLifetime application, ShutdownOptions options, TimeProvider clock, ILogger<GracefulShutdown> logger)
    : IHostLifetime, IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<PosixSignalRegistration> _signals = [];
    private ITimer? _delay;

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT])
        {
            _signals.Add(PosixSignalRegistration.Create(signal, Received));
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _signals.ForEach(signal => signal.Dispose());
        lock (_lock)
        {
            _delay?.Dispose();
        }
    }

    private void Received(PosixSignalContext context)
    {
        // Otherwise the runtime ends the process on the spot.
        context.Cancel = true;
        Signal(context.Signal);
    }

    internal void Signal(PosixSignal signal)
    {
        readiness.Drain();
        lock (_lock)
        {
            if (signal == PosixSignal.SIGTERM && _delay is null && options.Delay > TimeSpan.Zero)
            {
                Log.Leaving(logger, options.Delay);
                _delay = clock.CreateTimer(static application => ((IHostApplicationLifetime)application!).StopApplication(), application, options.Delay, Timeout.InfiniteTimeSpan);
                return;
            }
        }

        application.StopApplication();
    }

    private static partial class Log
    {
        [LoggerMessage(501, LogLevel.Information, "Told to stop: unready now, still serving for {Delay}")]
        public static partial void Leaving(ILogger logger, TimeSpan delay);
    }
}

internal sealed record ShutdownOptions
{
    /// <summary>From unready to closed for new connections: what the load balancers need to notice.</summary>
    public required TimeSpan Delay { get; init; }
}
