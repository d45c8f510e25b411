namespace TokenFactory.Gateway.Health;

/// <summary>Looks at the checks between probes, so that how long one has failed does not depend on who asks and when;
/// and drops readiness the moment the process begins to stop.</summary>
internal sealed class ReadinessWatch(Readiness readiness, ReadinessOptions options, IHostApplicationLifetime lifetime, TimeProvider clock)
    : BackgroundService
{
    private CancellationTokenRegistration _draining;

    /// <summary>Listens before the host counts as started: the watching itself begins some time later, on a pool thread.</summary>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        _draining = lifetime.ApplicationStopping.Register(readiness.Drain);
        return base.StartAsync(cancellationToken);
    }

    public override void Dispose()
    {
        _draining.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.WatchInterval, clock);
        try
        {
            do
            {
                readiness.Look();
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            readiness.Drain();
        }
    }
}
