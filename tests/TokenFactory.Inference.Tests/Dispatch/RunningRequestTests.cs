using TokenFactory.Inference.Dispatch;
using TokenFactory.Inference.Dispatch.Running;
using TokenFactory.Inference.ReadModel;
using Xunit;

namespace TokenFactory.Inference.Tests.Dispatch;

public sealed class RunningRequestTests
{
    private static readonly TimeSpan _first = TimeSpan.FromSeconds(5);

    private readonly RunningRequest _running = new();

    [Fact]
    public void A_cancellation_ends_the_attempt_that_runs()
    {
        using var attempt = Attempt();
        _running.Attempting(attempt);

        _running.Cancel();

        Assert.True(attempt.Token.IsCancellationRequested);
        Assert.Equal(ClockName.None, attempt.Expired);
    }

    [Fact]
    public void A_cancellation_between_attempts_ends_the_next_one_before_it_has_begun()
    {
        var ended = Attempt();
        _running.Attempting(ended);
        ended.Dispose();

        _running.Cancel();

        using var next = Attempt();
        _running.Attempting(next);
        Assert.True(_running.IsCancelled && next.Token.IsCancellationRequested);
    }

    [Fact]
    public void P2_What_says_nothing_is_noted_after_a_while_and_then_ever_more_rarely()
    {
        List<int> notes = [];
        for (var second = 1; second <= 60; second++)
        {
            _running.NoteSilence(TimeSpan.FromSeconds(second), _first, () => notes.Add(second));
        }

        Assert.Equal([5, 10, 20, 40], notes);
    }

    [Fact]
    public void P3_Once_a_stream_has_noted_its_usage_no_note_that_knows_less_follows()
    {
        var notes = 0;
        _running.NoteStream(() => notes++);

        _running.NoteSilence(TimeSpan.FromMinutes(5), _first, () => throw new InvalidOperationException("the stream's own count would be overwritten"));

        Assert.Equal(1, notes);
    }

    private static AttemptClock Attempt() => new(Clocks.Default, TimeProvider.System, CancellationToken.None, CancellationToken.None);
}
