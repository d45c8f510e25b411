using TokenFactory.Gateway.Health;
using TokenFactory.TestKit.Clock;
using Xunit;

namespace TokenFactory.Gateway.Tests.Health;

public sealed class ReadinessTests
{
    private readonly FakeClock _clock = new();
    private readonly Readiness _readiness;
    private bool _journal = true;

    public ReadinessTests() =>
        _readiness = new Readiness([new ReadinessCheck("journal", () => _journal)], new ReadinessOptions(), _clock);

    [Fact]
    public void A_failure_shorter_than_the_tolerance_keeps_the_replica_ready_and_says_warn()
    {
        _readiness.Look();
        _journal = false;
        _readiness.Look();
        _clock.Advance(TimeSpan.FromSeconds(4.9));

        var report = _readiness.Look();

        Assert.True(report.IsReady);
        Assert.Contains(("journal", CheckState.Warn), report.Checks);
    }

    [Fact]
    public void A_failure_that_lasts_the_whole_tolerance_drops_readiness()
    {
        _readiness.Look();
        _journal = false;
        _readiness.Look();
        _clock.Advance(TimeSpan.FromSeconds(5));

        Assert.False(_readiness.Look().IsReady);
    }

    [Fact]
    public void Recovery_counts_at_the_first_pass_and_starts_the_tolerance_anew()
    {
        _readiness.Look();
        _journal = false;
        _readiness.Look();
        _clock.Advance(TimeSpan.FromSeconds(30));
        Assert.False(_readiness.Look().IsReady);

        _journal = true;
        Assert.True(_readiness.Look().IsReady);

        _journal = false;
        Assert.True(_readiness.Look().IsReady);
    }

    [Fact]
    public void A_check_that_never_passed_gets_no_tolerance()
    {
        _journal = false;

        Assert.False(_readiness.Look().IsReady);
    }

    [Fact]
    public void Draining_drops_readiness_at_once_whatever_the_checks_say()
    {
        _readiness.Look();
        _readiness.Drain();

        var report = _readiness.Look();

        Assert.False(report.IsReady);
        Assert.Contains(("draining", CheckState.Fail), report.Checks);
        Assert.Contains(("journal", CheckState.Pass), report.Checks);
    }

    [Fact]
    public void A_check_that_throws_is_a_check_that_fails()
    {
        var readiness = new Readiness([new ReadinessCheck("journal", () => throw new IOException("db-7.internal"))], new ReadinessOptions(), _clock);

        Assert.False(readiness.Look().IsReady);
    }
}
