using System.Diagnostics;
using TokenFactory.Storage.Relay;
using Xunit;

namespace TokenFactory.Storage.Tests.Relay;

/// <summary>A sink with a server behind it, which may stop without closing its connections.</summary>
internal interface IFreezable
{
    void Freeze();

    void Thaw();
}

/// <summary>What sinks over a network promise besides.</summary>
public abstract class RemoteSinkContract : SinkContract
{
    [Fact]
    public async Task P10_A_frozen_server_is_given_up_at_the_deadline_and_gets_the_batch_again_when_it_wakes()
    {
        var frozen = (IFreezable)Under;
        var events = SinkUnderTest.Some(40);
        var sink = Under.New(TimeSpan.FromSeconds(1));
        using var end = sink as IDisposable;
        await sink.OpenAsync(default);
        await sink.DeliverAsync(events[..10], default);

        frozen.Freeze();
        var started = Stopwatch.GetTimestamp();
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => sink.DeliverAsync(events[10..], default).WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.IsNotType<SinkRejectedException>(failure);
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(30));
        frozen.Thaw();

        for (var tries = 0; ; tries++)
        {
            try
            {
                await sink.OpenAsync(default);
                await sink.DeliverAsync(events[10..], default);
                break;
            }
            catch (Exception stillWaking) when (stillWaking is not SinkRejectedException && tries < 50)
            {
                await Task.Delay(100);
            }
        }

        var taken = await Under.TakenAsync();
        Assert.Equal(Expected(events), taken.DistinctBy(one => one.Id));
        Assert.All(taken.GroupBy(one => one.Id), copies => Assert.Single(copies.Distinct()));
    }
}
