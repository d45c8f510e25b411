using System.Globalization;
using TokenFactory.Storage.Ledger;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Servers;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Faults;

/// <summary>
/// The process dies by SIGKILL under load, at a moment drawn from a printed seed, and starts again on the same data. Then the
/// client's books, the backend's, the store and the file sink are compared request by request.
/// GATEWAY_KILL_ROUNDS (1) is how many rounds run, GATEWAY_KILL_SEED the seed of the first; each next round's is one higher.
/// </summary>
public sealed class KillTests(ITestOutputHelper output)
{
    private const int Workers = 32;

    [Fact]
    public async Task P1_P2_a_killed_gateway_loses_nothing_and_settles_nothing_twice()
    {
        var rounds = Number("GATEWAY_KILL_ROUNDS", 1);
        var seed = Number("GATEWAY_KILL_SEED", Random.Shared.Next(1_000_000));
        for (var round = 0; round < rounds; round++)
        {
            await RoundAsync(seed + round, postgres: null);
        }
    }

    [Fact]
    public async Task P1_P2_a_killed_replica_loses_nothing_and_settles_nothing_twice_on_a_shared_store()
    {
        await using var server = await PostgresServer.StartAsync();
        var rounds = Number("GATEWAY_KILL_ROUNDS", 1);
        var seed = Number("GATEWAY_KILL_SEED", Random.Shared.Next(1_000_000));
        for (var round = 0; round < rounds; round++)
        {
            await RoundAsync(seed + round, server.ConnectionString(await server.NewDatabaseAsync()));
        }
    }

    private static int Number(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : otherwise;

    private async Task RoundAsync(int seed, string? postgres)
    {
        var random = new Random(seed);
        using var data = new TempFolder();
        await using var upstream = await FakeUpstream.StartAsync(new FakeUpstreamOptions { KeepBodies = false });
        upstream.On(Site.Reporting, ask => Script.Honest.Paced(TimeSpan.FromMilliseconds(ask.PromptTokens % 4)));
        var books = new Books(data.Path, postgres);
        var load = new Load(Workers, seed, next => Plan.Chat(next, Site.Reporting));
        IReadOnlyList<Guid> open;

        var killAfter = TimeSpan.FromMilliseconds(random.Next(800, 2500));
        output.WriteLine($"seed {seed}: killed after {killAfter.TotalMilliseconds} ms of load");
        await using (var gateway = await GatewayProcess.StartAsync(Options()))
        {
            using var client = Site.Client(gateway);
            using var stop = new CancellationTokenSource();
            var running = load.RunAsync(client, stop.Token);
            await UnderWayAsync(load);
            await Task.Delay(killAfter);
            await gateway.KillAsync();
            await stop.CancelAsync();
            await running.WaitAsync(TimeSpan.FromSeconds(90));

            // A server of its own may still be committing what the dead process had sent.
            await Task.Delay(postgres is null ? TimeSpan.Zero : TimeSpan.FromSeconds(1));
            open = await books.OpenAsync();

            await gateway.StartAgainAsync();
            using var more = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
            await load.RunAsync(client, more.Token).WaitAsync(TimeSpan.FromSeconds(90));
            await AllSettledAsync(books);
            Assert.Equal(0, await gateway.StopAsync());
        }

        await CompareAsync(seed, upstream, load.Calls, books, open);
        await BudgetIsTheLedgersAsync(Options, books);

        GatewayOptions Options(long tokensPerMonth = 1_000_000_000)
        {
            var options = Site.Options(upstream, data, tokensPerMonth);
            return postgres is null ? options : options.OnPostgres(postgres);
        }
    }

    /// <summary>A process that has just started serves a few requests slowly; the moment is drawn from when it serves many.</summary>
    private static async Task UnderWayAsync(Load load)
    {
        for (var tries = 0; load.Calls.Count < 4 * Workers && tries < 600; tries++)
        {
            await Task.Delay(50);
        }
    }

    /// <summary>A start settles what it finds; on a shared store the dead replica's lease runs out first.</summary>
    private static async Task AllSettledAsync(Books books)
    {
        for (var tries = 0; (await books.OpenAsync()).Count > 0; tries++)
        {
            Assert.True(tries < 200, "open requests of a dead replica were not settled");
            await Task.Delay(200);
        }
    }

    private async Task CompareAsync(int seed, FakeUpstream upstream, IReadOnlyList<Call> calls, Books books, IReadOnlyList<Guid> open)
    {
        var admissions = await books.AdmissionsAsync();
        var settlementIds = await books.SettlementIdsAsync();
        var settlements = await books.SettlementsAsync();
        var events = books.Events();
        var seen = upstream.Requests.Where(request => request.RequestId is not null).ToLookup(request => Guid.Parse(request.RequestId!));
        var answered = calls.Where(call => call.Status == 200).ToList();
        var whole = answered.Where(call => call.Whole).ToList();
        var relayed = events.Select(one => one.Id).ToHashSet();

        var lost = whole.Count(call => !settlements.ContainsKey(call.Id!.Value)) + admissions.Except(settlementIds).Count() + settlementIds.Except(relayed).Count();
        var doubled = settlementIds.Count - settlementIds.Distinct().Count();
        output.WriteLine(
            $"seed {seed}: {calls.Count} calls, {answered.Count} answered, {whole.Count} served whole, {admissions.Count} admitted, {settlementIds.Count} settled " +
            $"({open.Count} orphans), {relayed.Count} relayed ({events.Count} lines), {lost} lost, {doubled} doubled");

        Assert.NotEmpty(whole);
        Assert.NotEmpty(open);
        Assert.All(whole, call => Assert.Equal(TokensOf(call), OfSettlement(settlements, call.Id!.Value)));
        Assert.All(whole, call => Assert.Equal(Outcome.Completed, settlements[call.Id!.Value].Outcome));
        Assert.Empty(answered.Select(call => call.Id!.Value).Except(admissions));
        Assert.Equal(admissions.Count, admissions.Distinct().Count());
        Assert.Equal(admissions.Order(), settlementIds.Order());

        Assert.All(events.GroupBy(one => one.Id), same => Assert.Single(same.Select(one => one.Line).Distinct()));
        Assert.Equal(settlementIds.Order(), relayed.Order());
        Assert.All(events, one => Assert.Equal(settlements[one.Id].Tokens, one.Tokens));
        Assert.All(events, one => Assert.Equal(settlements[one.Id].CostNanoUsd, one.CostNanoUsd));

        // P11: a batch is in the chain whole or not at all.
        Assert.Empty(await books.AuditFindingsAsync());

        Assert.Equal(open.Order(), settlements.Values.Where(one => one.Outcome == Outcome.Orphaned).Select(one => one.RequestId).Order());

        // Only a death or a hang-up in the instant between admission and dispatch may leave a settlement that no backend knows of.
        var unseen = settlements.Values.Where(one => !seen.Contains(one.RequestId) && one.Evidence != Evidence.KnownZero).ToList();
        Assert.All(unseen, one => Assert.True(one is { Outcome: Outcome.Orphaned or Outcome.ClientCut, Tokens.Output: 0 }, one.ToString()));
        Assert.All(seen, one => Assert.Single(one));
    }

    /// <summary>The backend counts words: what the client was told, or the words it has.</summary>
    private static (long Input, long Output) TokensOf(Call call) =>
        (call.ToldInput ?? UpstreamAsk.CountWords(call.Prompt), call.ToldOutput ?? UpstreamAsk.CountWords(call.Text));

    private static (long Input, long Output) OfSettlement(IReadOnlyDictionary<Guid, UsageRecord> settlements, Guid id) =>
        settlements.TryGetValue(id, out var settled) ? (settled.Tokens.Input, settled.Tokens.Output) : (-1, -1);

    /// <summary>A budget just above what the ledger says was spent refuses the request that would pass it, and a little more room lets it through.</summary>
    private static async Task BudgetIsTheLedgersAsync(Func<long, GatewayOptions> options, Books books)
    {
        var spent = (await books.SettlementsAsync()).Values.Sum(one => one.Tokens.Total);
        Assert.Equal(429, await AskOnceAsync(options(spent + 5)));
        Assert.Equal(200, await AskOnceAsync(options(spent + 200)));
    }

    private static async Task<int> AskOnceAsync(GatewayOptions options)
    {
        await using var gateway = await GatewayProcess.StartAsync(options);
        using var client = Site.Client(gateway);
        using var content = new ByteArrayContent(The.ChatRequest(Site.Reporting, "alpha beta", maxTokens: 5));
        content.Headers.ContentType = new("application/json");
        using var answer = await client.PostAsync("/v1/chat/completions", content);
        return (int)answer.StatusCode;
    }
}
