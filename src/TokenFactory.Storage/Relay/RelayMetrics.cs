using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using TokenFactory.Storage.Outbox;

namespace TokenFactory.Storage.Relay;

/// <summary>Per sink; the label's values are the configured names, and so bounded.</summary>
internal sealed class RelayMetrics : IDisposable
{
    private readonly Meter _meter = new("TokenFactory.Gateway");
    private readonly ConcurrentDictionary<string, Standing> _standings = new(StringComparer.Ordinal);
    private readonly Counter<long> _delivered;
    private readonly Counter<long> _failures;

    public RelayMetrics(TimeProvider clock)
    {
        _delivered = _meter.CreateCounter<long>("tokenfactory.relay.delivered", "{event}", "Events a sink acknowledged");
        _failures = _meter.CreateCounter<long>("tokenfactory.relay.failures", "{delivery}", "Deliveries that failed and are tried again");
        _meter.CreateObservableGauge("tokenfactory.relay.depth", () => Observe(one => (double)one.Depth), "{event}", "Events a sink has not acknowledged");
        _meter.CreateObservableGauge("tokenfactory.relay.lag", () => Observe(one => one.Oldest is { } oldest ? (clock.GetUtcNow() - oldest).TotalSeconds : 0), "s", "Age of the oldest event a sink has not acknowledged");
        _meter.CreateObservableGauge("tokenfactory.relay.dead_letters", () => Observe(one => (double)one.DeadLetters), "{event}", "Events parked for a sink");
    }

    /// <summary>The oldest event's time is kept and not its age: the lag of a sink that is away grows between two tries.</summary>
    public void Seen(string sink, OutboxBatch batch) =>
        _standings[sink] = new Standing(batch.Waiting, batch.Oldest, batch.DeadLetters);

    public void Delivered(string sink, int events) => _delivered.Add(events, new KeyValuePair<string, object?>("sink", sink));

    public void Failed(string sink) => _failures.Add(1, new KeyValuePair<string, object?>("sink", sink));

    public void Dispose() => _meter.Dispose();

    private IEnumerable<Measurement<double>> Observe(Func<Standing, double> value) =>
        _standings.Select(one => new Measurement<double>(value(one.Value), new KeyValuePair<string, object?>("sink", one.Key)));

    private sealed record Standing(long Depth, DateTimeOffset? Oldest, long DeadLetters);
}
