// ReadModelBench KEYS: a platform with that many keys, read over HTTP by the gateway's own source. Prints what a gateway
// pays for it: the start, the memory, a refresh by what changed, and one lookup. The platform is in the same process,
// so a start is measured with its sending, and a refresh with its whole question.
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using TokenFactory.Administration;
using TokenFactory.Administration.Configuration;
using TokenFactory.Administration.Iam.Platform;
using TokenFactory.Inference.ReadModel;
using TokenFactory.TestKit.Iam;

var keys = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 1_000_000;
var file = Path.GetTempFileName();
try
{
    var written = Write(file, keys);
    await using var platform = await FakePlatform.StartAsync();
    platform.FullAnswerFile = file;
    await using var services = Services(platform.Url);
    var source = services.GetRequiredService<PlatformReadModelSource>();
    var store = services.GetRequiredService<SnapshotStore>();

    var before = Live();
    var paused = GC.GetTotalPauseDuration();
    var cpu = Process.GetCurrentProcess().TotalProcessorTime;
    var start = await TimeAsync(() => source.StartAsync(default));
    cpu = Process.GetCurrentProcess().TotalProcessorTime - cpu;
    paused = GC.GetTotalPauseDuration() - paused;
    var peak = Process.GetCurrentProcess().PeakWorkingSet64;
    var held = Live() - before;
    Print("keys", store.Current!.Keys.Count, "");
    Print("answer", written / 1e6, "MB");
    Print("start", start.TotalSeconds, "s, from the question to the snapshot in force");
    Print("start, processor time", cpu.TotalSeconds, "s on all threads, the sending included");
    Print("start, collections", paused.TotalSeconds, "s of it, nothing else runs");
    Print("memory", (double)held / keys, "bytes a key after a collection");
    Print("peak", peak / 1e6, "MB of the process while it started");

    platform.FullAnswerFile = null;
    platform.ForgetsVersions = false;
    Print("refresh, nothing new (304)", (await MedianAsync(50, _ => { }, Refresh)).TotalMicroseconds, "us");
    Print("refresh, 1 key revoked", (await MedianAsync(50, i => Revoke(1, i), Refresh)).TotalMicroseconds, "us");
    Print("refresh, 1,000 keys changed", (await MedianAsync(10, i => Revoke(1000, i), Refresh)).TotalMilliseconds, "ms");
    Print("refresh, 1 tenant of 1,000 keys changed", (await MedianAsync(10, _ => platform.Say(Tenant(7)), Refresh)).TotalMilliseconds, "ms");

    var pepper = store.Current!.Peppers[0];
    var presented = Enumerable.Range(0, 10_000).Select(i => Encoding.ASCII.GetBytes(Secret((int)(i * 7919L % keys)))).ToArray();
    var digests = presented.Select(key => pepper.Digest(key)).ToArray();
    var table = store.Current.Keys;
    var allocated = GC.GetAllocatedBytesForCurrentThread();
    Print("lookup, without the digest", Lookup(digests.Length, i => table.Find(digests[i])), "ns");
    Print("lookup, with the digest", Lookup(presented.Length, i => table.Find(pepper.Digest(presented[i]))), "ns");
    Print("allocated by both", GC.GetAllocatedBytesForCurrentThread() - allocated, "bytes, of which two delegates");

    Task Refresh() => Good(source.RefreshAsync(default));

    void Revoke(int count, int round) =>
        platform.Say([.. Enumerable.Range(round * count, count).Select(i => PlatformLine.RevokedKey(Id(i % keys), Secret(i % keys)))]);
}
finally
{
    File.Delete(file);
}

static async Task Good(Task<AnswerRefusedException?> refresh)
{
    if (await refresh is { } refusal)
    {
        throw refusal;
    }
}

static ServiceProvider Services(Uri url)
{
    var reading = ConfigurationReader.ReadText(
        $"iam: {{ mode: platform, url: \"{url}\", credential: env:C, pepper: env:P, max_staleness: 1h, poll: 5m, timeout: 1m, answer_limit: 8GB }}",
        "bench", new Dictionary<string, string> { ["C"] = PlatformLine.Credential, ["P"] = PlatformLine.Pepper });
    var services = new ServiceCollection().AddLogging().AddSingleton(TimeProvider.System);
    services.AddAdministration(reading.Configuration!, new ConfigurationSource(null, new Dictionary<string, string>()), Path.GetTempPath());
    return services.BuildServiceProvider();
}

static long Write(string path, int keys)
{
    using var file = new StreamWriter(path);
    var tenants = ((keys - 1) / 1000) + 1;
    file.WriteLine(PlatformLine.Header(1, null));
    for (var t = 0; t < tenants; t++)
    {
        file.WriteLine(Tenant(t));
        file.WriteLine(PlatformLine.Of("project", "name", "search", line => line["tenant"] = $"tenant-{t}"));
    }

    for (var i = 0; i < keys; i++)
    {
        // As the test kit's lines are, without building a tree for each.
        var hash = Convert.ToHexStringLower(PlatformLine.Digest(Secret(i)));
        file.Write($$$"""{"type":"key","id":"{{{Id(i)}}}","name":"key number {{{i}}}","tenant":"tenant-{{{i / 1000}}}","project":"search","scopes":["inference:chat","models:read"],"limits":{"requests_per_minute":{{{60 * (1 + (i % 5))}}}},"secrets":[{"hash":"hmac-sha256:v1:{{{hash}}}"}]}""");
        file.Write('\n');
    }

    file.WriteLine(PlatformLine.End(1, keys + (2 * tenants)));
    file.Flush();
    return file.BaseStream.Length;
}

static string Tenant(int t) => PlatformLine.Of("tenant", "name", $"tenant-{t}", line => line["region"] = "eu");

static string Id(int i) => i.ToString("D8", CultureInfo.InvariantCulture);

static string Secret(int i) => $"an-opaque-key-of-a-usual-length-of-about-64-characters-{i:D8}";

static long Live()
{
    GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    return GC.GetTotalMemory(forceFullCollection: true);
}

static async Task<TimeSpan> TimeAsync(Func<Task> run)
{
    var from = Stopwatch.GetTimestamp();
    await run();
    return Stopwatch.GetElapsedTime(from);
}

// The median: noise moves it least, and a lucky round does not either.
static async Task<TimeSpan> MedianAsync(int rounds, Action<int> prepare, Func<Task> run)
{
    var took = new List<TimeSpan>();
    for (var i = 0; i < rounds; i++)
    {
        prepare(i);
        took.Add(await TimeAsync(run));
    }

    return took.Order().ElementAt(rounds / 2);
}

// The best round counts: noise only ever slows a round.
static double Lookup(int count, Func<int, KeySecret?> find)
{
    var best = TimeSpan.MaxValue;
    for (var round = 0; round < 50; round++)
    {
        var from = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++)
        {
            _ = find(i) ?? throw new InvalidOperationException("a key of the model was not found");
        }

        var took = Stopwatch.GetElapsedTime(from);
        best = took < best ? took : best;
    }

    return best.TotalNanoseconds / count;
}

static void Print(string what, double figure, string unit) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-42} {figure,14:N1} {unit}"));
