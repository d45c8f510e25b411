// StorageBench journal [sqlite|postgres] [CALLERS]: durable admissions with settlements, from CALLERS (1,000) waiting callers and at 5,000 a second offered.
// StorageBench usage [sqlite|postgres] [ROWS]: a month's summary and pages of logs over a tenth of ROWS and over ROWS settlements.
// PostgreSQL is one of its own on this machine, started and ended here, with its default memory and with fsync.
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TokenFactory.Storage;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Postgres;
using TokenFactory.Storage.Sqlite;
using TokenFactory.TestKit.Contracts;
using TokenFactory.TestKit.Servers;

var what = args.ElementAtOrDefault(0) ?? "journal";
var stores = args.Where(arg => arg is "sqlite" or "postgres").DefaultIfEmpty().First() is { } one ? [one] : (string[])["sqlite", "postgres"];
var given = args.Select(arg => int.TryParse(arg, CultureInfo.InvariantCulture, out var number) ? number : 0).FirstOrDefault(number => number > 0);
var rows = given > 0 ? given : 1_000_000;
var callers = given > 0 ? given : 1000;

foreach (var store in stores)
{
    Console.WriteLine($"== {what} on {store}");
    var folder = Directory.CreateTempSubdirectory("storage-bench");
    await using var server = store == "postgres" ? await PostgresServer.StartAsync(syncs: true) : null;
    var instance = Ids.New(TimeProvider.System);
    var builder = Host.CreateEmptyApplicationBuilder(null);
    builder.Services.AddLogging(logging => logging.AddSimpleConsole().SetMinimumLevel(LogLevel.Warning));
    if (server is null)
    {
        builder.Services.AddSqliteStorage(new SqliteStorageOptions { DataDirectory = folder.FullName, InstanceId = instance });
    }
    else
    {
        builder.Services.AddPostgresStorage(new PostgresStorageOptions { Connection = server.ConnectionString(await server.NewDatabaseAsync()), InstanceId = instance });
    }

    using (var host = builder.Build())
    {
        await host.StartAsync();
        var journal = host.Services.GetRequiredService<IJournal>();
        if (what == "usage")
        {
            await UsageAsync(journal, host.Services.GetRequiredService<IUsageLedger>());
        }
        else
        {
            await JournalAsync(journal);
        }

        await host.StopAsync();
    }

    folder.Delete(recursive: true);
}

async Task JournalAsync(IJournal journal)
{
    await CallersAsync(journal, TimeSpan.FromSeconds(5));
    var cpu = Process.GetCurrentProcess().TotalProcessorTime;
    var (pairs, took, waits) = await CallersAsync(journal, TimeSpan.FromSeconds(15));
    cpu = Process.GetCurrentProcess().TotalProcessorTime - cpu;
    Print($"{callers:N0} waiting callers", pairs / took.TotalSeconds, "admissions with settlements a second");
    Print("  accept p50", Percentile(waits, 50), "ms");
    Print("  accept p99", Percentile(waits, 99), "ms");
    Print("  processor time", cpu.TotalMicroseconds / pairs, "us a pair, this process");
    (pairs, took, waits) = await OfferedAsync(journal, 5000, TimeSpan.FromSeconds(15));
    Print("5,000 a second offered", pairs / took.TotalSeconds, "admissions with settlements a second");
    Print("  accept p50", Percentile(waits, 50), "ms");
    Print("  accept p99", Percentile(waits, 99), "ms");
}

async Task<(int Pairs, TimeSpan Took, List<double> Waits)> CallersAsync(IJournal journal, TimeSpan span)
{
    var started = Stopwatch.GetTimestamp();
    List<double>[] waits = [.. Enumerable.Range(0, callers).Select(_ => new List<double>())];
    await Task.WhenAll(waits.Select(async mine =>
    {
        while (Stopwatch.GetElapsedTime(started) < span)
        {
            mine.Add(await PairAsync(journal));
        }
    }));
    return (waits.Sum(mine => mine.Count), Stopwatch.GetElapsedTime(started), [.. waits.SelectMany(mine => mine)]);
}

async Task<(int Pairs, TimeSpan Took, List<double> Waits)> OfferedAsync(IJournal journal, int perSecond, TimeSpan span)
{
    var started = Stopwatch.GetTimestamp();
    List<Task<double>> all = [];
    using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
    while (Stopwatch.GetElapsedTime(started) is var elapsed && elapsed < span)
    {
        for (var due = (int)(elapsed.TotalSeconds * perSecond); all.Count < due;)
        {
            all.Add(PairAsync(journal));
        }

        await timer.WaitForNextTickAsync();
    }

    var waits = await Task.WhenAll(all);
    return (waits.Length, Stopwatch.GetElapsedTime(started), [.. waits]);
}

async Task<double> PairAsync(IJournal journal)
{
    var admission = SomeRequest.Admission(Guid.Empty);
    var asked = Stopwatch.GetTimestamp();
    await journal.AdmitAsync(admission);
    var wait = Stopwatch.GetElapsedTime(asked).TotalMilliseconds;
    await journal.SettleOnceAsync(SomeRequest.Settlement(admission));
    return wait;
}

async Task UsageAsync(IJournal journal, IUsageLedger ledger)
{
    var month = new DateTimeOffset(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);
    var written = 0;
    foreach (var size in (int[])[rows / 10, rows])
    {
        while (written < size)
        {
            var batch = Math.Min(2000, size - written);
            await Task.WhenAll(Enumerable.Range(written, batch).Select(n => journal.SettleOnceAsync(Row(n))));
            written += batch;
        }

        // The totals of the last seconds are added up by then.
        await Task.Delay(TimeSpan.FromSeconds(15));
        Console.WriteLine($"{size:N0} settlements");
        var tenant = new UsageFilter { Tenant = "tenant-3", From = month, Until = month.AddMonths(1) };
        await SummaryAsync("a tenant's month by day and model", tenant, UsageGrouping.Day | UsageGrouping.Model);
        await SummaryAsync("a tenant's month by key", tenant, UsageGrouping.Key);
        await SummaryAsync("a tenant's 20.5 days by model", tenant with { Until = month.AddDays(20.5) }, UsageGrouping.Model);
        await SummaryAsync("everybody's month by day", tenant with { Tenant = null }, UsageGrouping.Day);
        await PageAsync("first page of 100 logs", tenant, null);
        var cursor = (await ledger.PageAsync(tenant with { Until = month.AddDays(15) }, null, 1, default)).Next;
        await PageAsync("page of 100 logs in the middle", tenant, cursor);
        await PageAsync("page of 100 logs of one key of 50", tenant with { KeyId = "key-7" }, null);
        await PageAsync("page of 100 logs of a rare project", tenant with { Project = "rare" }, null);
        await PageAsync("page of 100 of everybody's logs", tenant with { Tenant = null }, null);
    }

    async Task SummaryAsync(string name, UsageFilter filter, UsageGrouping by)
    {
        var totals = await ledger.SummariseAsync(filter, by, default);
        await MedianAsync($"{name} ({totals.Count} groups, {totals.Sum(total => total.Requests):N0} requests)", async () => await ledger.SummariseAsync(filter, by, default));
    }

    Task PageAsync(string name, UsageFilter filter, string? cursor) => MedianAsync(name, async () => await ledger.PageAsync(filter, cursor, 100, default));

    // A month of 10 tenants, half of it one tenant's.
    Settlement Row(int n)
    {
        var random = new Random(n);
        var accepted = month.AddMilliseconds(random.NextInt64(30L * 24 * 3600 * 1000));
        var admission = SomeRequest.Admission(Guid.Empty, $"tenant-{(random.Next(2) == 0 ? 3 : random.Next(10))}", accepted) with
        {
            Project = random.Next(1000) == 0 ? "rare" : $"project-{random.Next(3)}",
            KeyId = $"key-{random.Next(50)}",
            Model = $"model-{random.Next(4)}",
        };
        return SomeRequest.Settlement(admission, output: random.Next(1000));
    }
}

// The median: noise moves it least, and a lucky round does not either.
static async Task MedianAsync(string name, Func<Task> run)
{
    var took = new List<double>();
    for (var round = 0; round < 21; round++)
    {
        var from = Stopwatch.GetTimestamp();
        await run();
        took.Add(Stopwatch.GetElapsedTime(from).TotalMilliseconds);
    }

    Print($"  {name}", Percentile(took, 50), "ms");
}

static double Percentile(List<double> values, int percent)
{
    values.Sort();
    return values[(values.Count - 1) * percent / 100];
}

static void Print(string name, double value, string unit) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-75} {value,10:N2} {unit}"));
