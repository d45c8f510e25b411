using System.Diagnostics.Metrics;

namespace TokenFactory.Inference.Limits.Redis;

/// <summary>What an operator watches: how long a take needs, how often there was none, and whether replicas share by themselves.</summary>
internal sealed class RedisLimiterMetrics
{
    private static readonly InstrumentAdvice<double> _takeBuckets = new()
    {
        HistogramBucketBoundaries = [0.0001, 0.0002, 0.0003, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05],
    };

    private readonly Histogram<double>? _take;
    private readonly Counter<long>? _unavailable;

    public RedisLimiterMetrics(IMeterFactory? meters, Func<int> replicas, Func<int> shared, Func<int> unsettled)
    {
        var meter = meters?.Create(Telemetry.Name);
        _take = meter?.CreateHistogram("tokenfactory.limits.take.duration", "s", "Round trip of a take to Redis", null, _takeBuckets);
        _unavailable = meter?.CreateCounter<long>("tokenfactory.limits.unavailable", "{take}", "Takes that Redis did not answer in time");
        meter?.CreateObservableGauge("tokenfactory.limits.replicas", replicas, "{replica}", "Live replicas, by the last count Redis gave");
        meter?.CreateObservableGauge("tokenfactory.limits.shared", shared, null, "1 while this replica enforces its share of the limits without Redis");
        meter?.CreateObservableGauge("tokenfactory.limits.unsettled", unsettled, "{reservation}", "Settlements that wait for Redis");
    }

    public void Took(TimeSpan time) => _take?.Record(time.TotalSeconds);

    public void Missed() => _unavailable?.Add(1);
}
