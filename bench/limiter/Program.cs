using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using TokenFactory.Inference.Limits;
using TokenFactory.Inference.Limits.Redis;
using TokenFactory.Storage;
using TokenFactory.Storage.Redis;
using TokenFactory.TestKit.Servers;

// What a request's limits cost against a real Redis on the loopback: dotnet run -c Release --project bench/limiter [SECONDS]
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var seconds = args.Length > 0 ? double.Parse(args[0], CultureInfo.InvariantCulture) : 5;
await using var server = await RedisServer.StartAsync();
await using var limiter = new RedisLimiter(
    new RedisLimiterOptions
    {
        Connection = RedisConnection.Parse(server.Url).Connection!,
        InstanceId = Ids.New(TimeProvider.System),
        TakeWithin = TimeSpan.FromSeconds(5),
    },
    (_, _) => Task.FromResult(new BudgetSums([])),
    TimeProvider.System,
    NullLogger<RedisLimiter>.Instance);
await limiter.StartAsync(default);

foreach (var buckets in new[] { Some(2), Some(4), Some(6) })
{
    // A request at a time, as under light load.
    await OneByOneAsync(500, buckets);
    var takes = await OneByOneAsync(4000, buckets);
    var before = await CallsAsync();
    await OneByOneAsync(1000, buckets);
    var calls = await CallsAsync() - before;
    Console.WriteLine($"{buckets.Length} buckets, one by one: take p50 {At(takes, 0.5):0.000} ms, p99 {At(takes, 0.99):0.000} ms; {calls / 1000.0:0.00} script calls for a take and its settlement");

    // Many at once.
    foreach (var workers in new[] { 16, 64, 256 })
    {
        var cpu = Process.GetCurrentProcess().TotalProcessorTime;
        var until = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        var started = Stopwatch.GetTimestamp();
        var all = await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => UntilAsync(until, buckets)));
        var elapsed = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var count = all.Sum(list => list.Count);
        var own = (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalMicroseconds / count;
        Console.WriteLine($"{buckets.Length} buckets, {workers} at once: {count / elapsed:0} takes and as many settlements a second, take p50 {At(all.SelectMany(t => t), 0.5):0.000} ms, {own:0.0} µs of our CPU for both");
    }
}

static Bucket[] Some(int count) => new Bucket[]
{
    new("key:k3f9abcd", Dimension.RequestsPerMinute, 10_000_000),
    new("key:k3f9abcd", Dimension.TokensPerMinute, 10_000_000_000),
    new("tenant", Dimension.Concurrent, 1_000_000),
    new("project:search", Dimension.NanoUsdPerMonth, long.MaxValue),
    new("project:search", Dimension.TokensPerMonth, long.MaxValue),
    new("model:gpt-4o-mini", Dimension.RequestsPerMinute, 10_000_000),
}[..count];

async Task<double> TakeAndSettleAsync(Bucket[] buckets)
{
    var demand = new Demand(Ids.New(TimeProvider.System), "acme", buckets, 500, 900, TimeSpan.FromMinutes(10));
    var started = Stopwatch.GetTimestamp();
    var taking = await limiter.TakeAsync(demand, default);
    var took = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    await limiter.SettleAsync(taking.Reservation ?? throw new InvalidOperationException($"refused by {taking.Refusal}"), Actual.Of(300, 500), default);
    return took;
}

async Task<List<double>> OneByOneAsync(int count, Bucket[] buckets)
{
    var takes = new List<double>(count);
    for (var i = 0; i < count; i++)
    {
        takes.Add(await TakeAndSettleAsync(buckets));
    }

    return takes;
}

async Task<List<double>> UntilAsync(long until, Bucket[] buckets)
{
    var takes = new List<double>();
    while (Stopwatch.GetTimestamp() < until)
    {
        takes.Add(await TakeAndSettleAsync(buckets));
    }

    return takes;
}

// The settlements of a moment ago are sent, and done, before this connection's question.
async Task<long> CallsAsync()
{
    await Task.Delay(100);
    var calls = await server.SendAsync("EVAL", "local s = redis.call('INFO', 'commandstats') return tonumber(string.match(s, 'cmdstat_evalsha:calls=(%d+)') or '0')", "0");
    return long.Parse(calls.TrimStart(':'), CultureInfo.InvariantCulture);
}

static double At(IEnumerable<double> values, double share)
{
    var sorted = values.Order().ToArray();
    return sorted[(int)(share * (sorted.Length - 1))];
}
