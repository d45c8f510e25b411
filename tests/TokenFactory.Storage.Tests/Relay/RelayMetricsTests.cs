using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Relay;
using TokenFactory.TestKit.Clock;
using Xunit;

namespace TokenFactory.Storage.Tests.Relay;

public sealed class RelayMetricsTests : IDisposable
{
    private readonly string _sink = $"away-{Ids.New(TimeProvider.System)}";
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, double> _seen = new(StringComparer.Ordinal);

    public RelayMetricsTests()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name.StartsWith("tokenfactory.relay.", StringComparison.Ordinal))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags, (_, now) => now));
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags, (before, now) => before + now));
        _listener.Start();
    }

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task P10_Depth_and_lag_are_seen_while_a_sink_cannot_even_be_opened_and_the_lag_grows()
    {
        var clock = new FakeClock();
        using var metrics = new RelayMetrics(clock);
        using var stop = new CancellationTokenSource();
        var outbox = new ListOutbox();
        outbox.Add(SinkUnderTest.Some(7).Select(one => one with { CreatedAt = clock.GetUtcNow() }));
        var relay = new SinkRelay(new Away(_sink), outbox, RelayOptions.Default, metrics, clock, new Random(1), NullLogger.Instance).RunAsync(stop.Token, stop.Token);
        for (var tries = 0; _seen.GetValueOrDefault("tokenfactory.relay.failures") == 0; tries++)
        {
            Assert.True(tries < 6000, "the relay never tried");
            await Task.Delay(10);
        }

        clock.Advance(TimeSpan.FromMinutes(3));
        _listener.RecordObservableInstruments();

        Assert.Equal(7, _seen["tokenfactory.relay.depth"]);
        Assert.Equal(180, _seen["tokenfactory.relay.lag"]);
        Assert.Equal(0, _seen["tokenfactory.relay.dead_letters"]);
        await stop.CancelAsync();
        clock.Advance(TimeSpan.FromMinutes(3));
        await relay;
    }

    private void Note<T>(Instrument instrument, T value, ReadOnlySpan<KeyValuePair<string, object?>> tags, Func<double, double, double> merge)
        where T : struct
    {
        foreach (var tag in tags)
        {
            if (Equals(tag.Value, _sink))
            {
                _seen.AddOrUpdate(instrument.Name, Convert.ToDouble(value, null), (_, before) => merge(before, Convert.ToDouble(value, null)));
            }
        }
    }

    private sealed class Away(string name) : ISink
    {
        public string Name => name;

        public int MaxBatch => 3;

        public Task OpenAsync(CancellationToken cancel) => throw new SinkUnavailableException("nobody is there");

        public Task DeliverAsync(IReadOnlyList<OutboxMessage> batch, CancellationToken cancel) => throw new InvalidOperationException("It was never opened.");
    }
}
