using BenchmarkDotNet.Attributes;
using TokenFactory.Inference.Limits;
using TokenFactory.Inference.Limits.Local;
using TokenFactory.Storage;

namespace TokenFactory.Benchmarks;

/// <summary>One request's worth of limiting: everything taken at once, then settled.</summary>
[MemoryDiagnoser]
public class LimiterBenchmarks
{
    private readonly LocalLimiter _limiter = new(TimeProvider.System);
    private Demand _demand = null!;

    [Params(2, 4, 6)]
    public int Buckets { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        Bucket[] all =
        [
            new("key:k3f9abcd", Dimension.RequestsPerMinute, 1_000_000_000),
            new("key:k3f9abcd", Dimension.TokensPerMinute, 1_000_000_000_000),
            new("tenant", Dimension.Concurrent, 1000),
            new("project:search", Dimension.TokensPerMonth, long.MaxValue),
            new("project:search", Dimension.NanoUsdPerMonth, long.MaxValue),
            new("model:gpt-4o-mini", Dimension.RequestsPerMinute, 1_000_000_000),
        ];
        _demand = new Demand(Ids.New(TimeProvider.System), "acme", all[..Buckets], 500, 900, TimeSpan.FromMinutes(10));
    }

    [Benchmark]
    public async ValueTask TakeAndSettle()
    {
        var taking = await _limiter.TakeAsync(_demand, default);
        await _limiter.SettleAsync(taking.Reservation!, Actual.Of(300, 500), default);
    }

    [GlobalCleanup]
    public void CleanUp() => _limiter.Dispose();
}
