using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Relay;
using Xunit;

namespace TokenFactory.Storage.Tests.Relay;

/// <summary>What every sink promises, with the relay in front of it. Each sink's tests derive from this and only say how to make one.</summary>
public abstract class SinkContract : IAsyncLifetime
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(90);

    private static readonly RelayOptions _quick = new()
    {
        Poll = TimeSpan.FromMilliseconds(20),
        Linger = TimeSpan.Zero,
        FirstPause = TimeSpan.FromMilliseconds(5),
        LongestPause = TimeSpan.FromMilliseconds(100),
        RejectionsBeforeParking = 3,
    };

    private protected SinkUnderTest Under { get; private set; } = null!;

    private protected abstract Task<SinkUnderTest> StartAsync();

    public async ValueTask InitializeAsync() => Under = await StartAsync();

    public async ValueTask DisposeAsync()
    {
        await Under.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task P2_Every_event_arrives_once_in_order_with_its_bytes()
    {
        var outbox = new ListOutbox();
        outbox.Add(SinkUnderTest.Some(500));

        await RelayAsync(outbox, () => outbox.Cursor == 500);

        Assert.Equal(Expected(outbox.Messages), await Under.TakenAsync());
    }

    [Fact]
    public async Task P2_Nothing_is_acknowledged_that_the_sink_does_not_have()
    {
        var outbox = new ListOutbox();
        var missing = new List<Guid>();
        outbox.Acknowledging = async count => missing.AddRange(
            outbox.Messages.Take(count).Select(one => one.EventId).Except((await Under.TakenAsync()).Select(one => one.Id)));
        outbox.Add(SinkUnderTest.Some(400));

        await RelayAsync(outbox, () => outbox.Cursor == 400);

        Assert.Empty(missing);
    }

    [Fact]
    public async Task P2_A_batch_sent_again_has_the_same_bytes_and_keeps_the_order_of_first_sight()
    {
        var events = SinkUnderTest.Some(60);
        var sink = Under.New();
        using var end = sink as IDisposable;
        await sink.OpenAsync(default);
        await sink.DeliverAsync(events[..30], default);
        await sink.OpenAsync(default);
        await sink.DeliverAsync(events[..30], default);
        await sink.DeliverAsync(events[30..], default);

        var taken = await Under.TakenAsync();

        Assert.Equal(Expected(events), taken.DistinctBy(one => one.Id));
        Assert.All(taken.GroupBy(one => one.Id), copies => Assert.Single(copies.Distinct()));
    }

    [Fact]
    public async Task P2_An_outage_under_load_delays_events_and_loses_none()
    {
        var outbox = new ListOutbox();
        using var stop = new CancellationTokenSource();
        var failures = 0;
        var isLoaded = true;
        var (relay, sink) = Start(outbox, stop.Token, () => Interlocked.Increment(ref failures));
        using var end = sink as IDisposable;
        outbox.Add(SinkUnderTest.Some(200));
        await UntilAsync(() => outbox.Cursor >= 50);
        var load = LoadAsync();
        try
        {
            await Under.BreakAsync();
            await UntilAsync(() => Volatile.Read(ref failures) >= 2 || Under.BreaksUnnoticed);
            var atOutage = outbox.Messages.Count;
            await UntilAsync(() => outbox.Messages.Count > atOutage + 50);
            await Under.MendAsync();
            await UntilAsync(() => outbox.Cursor > atOutage + 50);
        }
        finally
        {
            Volatile.Write(ref isLoaded, false);
            await load;
        }

        outbox.Add(SinkUnderTest.Some(50));
        await UntilAsync(() => outbox.Cursor == outbox.Messages.Count);
        await stop.CancelAsync();
        await relay;

        var taken = await Under.TakenAsync();
        Assert.Equal(Expected(outbox.Messages), taken.DistinctBy(one => one.Id));
        Assert.All(taken.GroupBy(one => one.Id), copies => Assert.Single(copies.Distinct()));
        Assert.Empty(outbox.Parked);

        async Task LoadAsync()
        {
            while (Volatile.Read(ref isLoaded))
            {
                outbox.Add(SinkUnderTest.Some(5));
                await Task.Delay(10, CancellationToken.None);
            }
        }
    }

    [Fact]
    public async Task P2_A_poison_event_is_parked_alone_and_a_sink_that_judges_none_takes_all()
    {
        var outbox = new ListOutbox();
        var poison = Under.Poison ?? SinkUnderTest.One(padding: 1_000_000);
        outbox.Add([.. SinkUnderTest.Some(17), poison, .. SinkUnderTest.Some(22)]);

        await RelayAsync(outbox, () => outbox.Cursor == 40);

        var parked = Under.Poison is null ? Array.Empty<Guid>() : [poison.EventId];
        Assert.Equal(parked, outbox.Parked.Select(one => one.Message.EventId));
        Assert.Equal(Expected(outbox.Messages.ExceptBy(parked, one => one.EventId)), (await Under.TakenAsync()).DistinctBy(one => one.Id));
    }

    private protected static IEnumerable<Taken> Expected(IEnumerable<OutboxMessage> messages) =>
        messages.Select(one => new Taken(one.EventId, Encoding.UTF8.GetString(one.Body.Span)));

    private protected async Task RelayAsync(ListOutbox outbox, Func<bool> done)
    {
        using var stop = new CancellationTokenSource();
        var (relay, sink) = Start(outbox, stop.Token);
        using var end = sink as IDisposable;
        await UntilAsync(done);
        await stop.CancelAsync();
        await relay;
    }

    private protected static async Task UntilAsync(Func<bool> done)
    {
        using var limit = new CancellationTokenSource(_patience);
        while (!done())
        {
            Assert.False(limit.IsCancellationRequested, $"not within {_patience}");
            await Task.Delay(10, CancellationToken.None);
        }
    }

    private (Task Relay, ISink Sink) Start(ListOutbox outbox, CancellationToken stop, Action? failed = null)
    {
        var sink = Under.New();
        var metrics = new RelayMetrics(TimeProvider.System);
        var relay = new SinkRelay(new Watched(sink, failed), outbox, _quick, metrics, TimeProvider.System, new Random(1), NullLogger.Instance).RunAsync(stop, stop);
        return (EndAsync(), sink);

        async Task EndAsync()
        {
            using (metrics)
            {
                await relay;
            }
        }
    }

    private sealed class Watched(ISink inner, Action? failed) : ISink
    {
        public string Name => inner.Name;

        public int MaxBatch => inner.MaxBatch;

        public Task OpenAsync(CancellationToken cancel) => WatchAsync(inner.OpenAsync(cancel));

        public Task DeliverAsync(IReadOnlyList<OutboxMessage> batch, CancellationToken cancel) => WatchAsync(inner.DeliverAsync(batch, cancel));

        private async Task WatchAsync(Task task)
        {
            try
            {
                await task;
            }
            catch
            {
                failed?.Invoke();
                throw;
            }
        }
    }
}
