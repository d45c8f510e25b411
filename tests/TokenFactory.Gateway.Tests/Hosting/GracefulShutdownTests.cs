using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using TokenFactory.Gateway.Health;
using TokenFactory.Gateway.Hosting;
using TokenFactory.TestKit.Clock;
using Xunit;

namespace TokenFactory.Gateway.Tests.Hosting;

public sealed class GracefulShutdownTests : IDisposable
{
    private readonly FakeClock _clock = new();
    private readonly Application _application = new();
    private readonly Readiness _readiness;
    private readonly GracefulShutdown _shutdown;

    public GracefulShutdownTests()
    {
        _readiness = new Readiness([], new ReadinessOptions(), _clock);
        _shutdown = Shutdown(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void After_SIGTERM_a_replica_is_unready_at_once_and_serves_until_the_delay_is_over()
    {
        _shutdown.Signal(PosixSignal.SIGTERM);
        Assert.False(_readiness.Look().IsReady);

        _clock.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Equal(0, _application.Stops);
        _clock.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(1, _application.Stops);
    }

    [Fact]
    public void A_second_signal_skips_the_delay()
    {
        _shutdown.Signal(PosixSignal.SIGTERM);
        _shutdown.Signal(PosixSignal.SIGTERM);

        Assert.Equal(1, _application.Stops);
    }

    [Theory]
    [InlineData(PosixSignal.SIGINT)]
    [InlineData(PosixSignal.SIGQUIT)]
    public void Somebody_at_a_terminal_does_not_wait_for_load_balancers(PosixSignal signal)
    {
        _shutdown.Signal(signal);

        Assert.Equal(1, _application.Stops);
    }

    [Fact]
    public void Without_a_delay_SIGTERM_stops_at_once()
    {
        using var shutdown = Shutdown(TimeSpan.Zero);

        shutdown.Signal(PosixSignal.SIGTERM);

        Assert.Equal(1, _application.Stops);
    }

    public void Dispose() => _shutdown.Dispose();

    private GracefulShutdown Shutdown(TimeSpan delay) =>
        new(_readiness, _application, new ShutdownOptions { Delay = delay }, _clock, NullLogger<GracefulShutdown>.Instance);

    private sealed class Application : IHostApplicationLifetime
    {
        public int Stops { get; private set; }

        public CancellationToken ApplicationStarted => default;

        public CancellationToken ApplicationStopping => default;

        public CancellationToken ApplicationStopped => default;

        public void StopApplication() => Stops++;
    }
}
