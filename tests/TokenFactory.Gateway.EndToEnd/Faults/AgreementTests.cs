using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using TokenFactory.Storage.Ledger;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Upstream;
using TokenFactory.Tokenizer;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Faults;

/// <summary>
/// Every view of usage says the same after a mixed load: the command line, the API's totals, its pages, the relayed events,
/// the backend's own books and what the clients saw. GATEWAY_AGREEMENT_REQUESTS (1000) is how many requests are made.
/// </summary>
public sealed class AgreementTests(ITestOutputHelper output)
{
    private static readonly string[] _paths = ["/v1/chat/completions", "/v1/completions", "/v1/embeddings"];
    private static readonly string[] _models = [Site.Reporting, Site.Continuous, Site.Mute];

    [Fact]
    public async Task P3_every_view_of_usage_agrees_with_every_other_and_with_the_backend()
    {
        var requests = int.TryParse(Environment.GetEnvironmentVariable("GATEWAY_AGREEMENT_REQUESTS"), NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : 1000;
        var seed = Random.Shared.Next(1_000_000);
        using var data = new TempFolder();
        await using var upstream = await FakeUpstream.StartAsync(new FakeUpstreamOptions { KeepBodies = false });
        upstream.On(Site.Reporting, Paced);
        upstream.On(Site.Continuous, ask => Paced(ask).WithUsageOnEveryChunk());
        upstream.On(Site.Mute, ask => Paced(ask).WithoutUsage());
        await using var gateway = await GatewayProcess.StartAsync(Site.Options(upstream, data));
        using var client = Site.Client(gateway);
        var books = new Books(data.Path);
        var load = new Load(workers: 16, seed, Next);

        await load.RunAsync(client, CancellationToken.None, requests).WaitAsync(TimeSpan.FromMinutes(5));
        await AllSettledAsync(books);

        var command = await gateway.RunToEndAsync(["usage", "summary", "--json", "--data", data.Path]);
        Assert.True(command.ExitCode == 0, command.ToString());
        var byCommand = Sum(JsonNode.Parse(command.Output)!["data"]!.AsArray(), "requests");
        var byTotals = Sum(JsonNode.Parse(await client.GetStringAsync("/v1/usage"))!["data"]!.AsArray(), "requests");
        var pages = await PagesAsync(client);
        var byPages = Sum(pages, null);
        Assert.Equal(0, await gateway.StopAsync());
        var byEvents = Sum(books.Events());
        var settlements = await books.SettlementsAsync();

        output.WriteLine($"seed {seed}, {load.Calls.Count} calls, {load.Calls.Count(call => call.Whole)} whole, {load.Calls.Count(call => call.HungUp)} hung up");
        foreach (var group in settlements.Values.GroupBy(one => (one.Outcome, one.Evidence)).OrderBy(group => group.Key))
        {
            output.WriteLine($"  {group.Key.Outcome}, {group.Key.Evidence}: {group.Count()} requests, {group.Sum(one => one.Tokens.Input)} in, {group.Sum(one => one.Tokens.Output)} out");
        }

        output.WriteLine($"  usage summary {byCommand}\n  /v1/usage     {byTotals}\n  /v1/usage/logs {byPages}\n  events.jsonl  {byEvents}");
        Assert.Equal(byCommand, byTotals);
        Assert.Equal(byCommand, byPages);
        Assert.Equal(byCommand, byEvents);
        Assert.Equal(byCommand, Sum(settlements.Values));
        Assert.Equal(pages.Count, pages.Select(page => page!["request_id"]!.GetValue<string>()).Distinct().Count());

        var seen = upstream.Requests.Where(request => request.RequestId is not null).ToDictionary(request => Guid.Parse(request.RequestId!));
        AgreeWithBackend(settlements, seen);
        AgreeWithClients(settlements, load.Calls, seen);
    }

    private static Script Paced(UpstreamAsk ask) => Script.Honest.Paced(TimeSpan.FromMilliseconds(ask.PromptTokens % 3 == 0 ? 1 : 0));

    private static Plan Next(Random random)
    {
        var path = _paths[random.Next(_paths.Length)];
        var streams = path != "/v1/embeddings";
        var plan = new Plan(path, _models[random.Next(_models.Length)], Some.Words(random.Next(2, 30)), streams && random.Next(3) > 0, random.Next(2) == 0);
        return random.Next(10) switch
        {
            0 => plan with { HangUpAfter = TimeSpan.FromMilliseconds(random.Next(0, 30)) },
            1 => plan with { HangUpAtLine = random.Next(0, 30) },
            _ => plan,
        };
    }

    private static async Task AllSettledAsync(Books books)
    {
        // The gateway learns of a hang-up a moment after it.
        for (var look = 0; look < 100 && (await books.OpenAsync()).Count > 0; look++)
        {
            await Task.Delay(100);
        }

        Assert.Empty(await books.OpenAsync());
    }

    /// <summary>Reported requests are equal to the token by id. A cut one was told the running total of some chunk: no more than was sent.</summary>
    private void AgreeWithBackend(IReadOnlyDictionary<Guid, UsageRecord> settlements, Dictionary<Guid, UpstreamRequest> seen)
    {
        var reported = settlements.Values.Where(one => one.Evidence == Evidence.Reported).ToList();
        var completed = reported.Where(one => one.Outcome == Outcome.Completed).ToList();
        Assert.All(completed, one => Assert.Equal((seen[one.RequestId].PromptTokens, seen[one.RequestId].CompletionTokens), (one.Tokens.Input, one.Tokens.Output)));
        Assert.All(reported, one => Assert.Equal(seen[one.RequestId].PromptTokens, one.Tokens.Input));
        Assert.All(reported, one => Assert.InRange(one.Tokens.Output, 0, seen[one.RequestId].CompletionTokens));

        // What never reports is counted, and what reports is never counted once it is whole.
        Assert.All(settlements.Values.Where(one => one.Model == Site.Mute), one => Assert.NotEqual(Evidence.Reported, one.Evidence));
        Assert.All(settlements.Values.Where(one => one.Model != Site.Mute && one.Outcome == Outcome.Completed), one => Assert.Equal(Evidence.Reported, one.Evidence));
        output.WriteLine(
            $"  reported and completed: backend {completed.Sum(one => seen[one.RequestId].PromptTokens)} in, {completed.Sum(one => seen[one.RequestId].CompletionTokens)} out; " +
            $"ledger {completed.Sum(one => one.Tokens.Input)} in, {completed.Sum(one => one.Tokens.Output)} out");
    }

    /// <summary>
    /// Whole answers: what the client was told, else our tokenizer over the text it has, exactly. Hang-ups: no less than the
    /// client has and no more than the backend sent, both in the unit of the settlement's evidence.
    /// </summary>
    private void AgreeWithClients(IReadOnlyDictionary<Guid, UsageRecord> settlements, IReadOnlyList<Call> calls, Dictionary<Guid, UpstreamRequest> seen)
    {
        var (exact, bounded) = (0, 0);
        foreach (var call in calls.Where(call => call.Status == 200))
        {
            var settled = settlements[call.Id!.Value];
            var backend = seen[settled.RequestId];
            Func<string, long> counts = settled.Evidence == Evidence.Reported ? text => UpstreamAsk.CountWords(text) : text => Tokens(call.Model, text);
            Assert.False(call is { SawUsageChunk: true, MayHearUsage: false }, $"{call.Id} was told of usage that it did not ask for");
            var has = counts(call.Text);
            var sent = counts(string.Join(' ', ("Echo " + call.Prompt).Split(' ').Take(backend.CompletionTokens)));
            if (settled.Evidence == Evidence.Counted)
            {
                Assert.Equal(counts(call.Prompt) + Overhead(settled), settled.Tokens.Input);
            }

            if (call.Whole)
            {
                exact++;
                Assert.Equal(Outcome.Completed, settled.Outcome);
                Assert.Equal(has, settled.Tokens.Output);
                Assert.Equal(call.ToldOutput ?? settled.Tokens.Output, settled.Tokens.Output);
                Assert.Equal(call.ToldInput ?? settled.Tokens.Input, settled.Tokens.Input);
            }
            else
            {
                bounded++;
                Assert.True(call.HungUp, $"{call.Id} ended before its terminator and nobody hung up");
                Assert.InRange(settled.Tokens.Output, has, sent);
            }
        }

        output.WriteLine($"  clients: {exact} whole answers equal to the token, {bounded} hang-ups between what arrived and what was sent");
    }

    private static long Overhead(UsageRecord settled) => settled.Operation == "chat" ? ChatOverhead.Of(messages: 1) + Tokens(settled.Model, "user") : 0;

    private static long Tokens(string model, string text) => TokenEncoding.ForModel(model).Count(Encoding.UTF8.GetBytes(text));

    private static async Task<List<JsonNode?>> PagesAsync(HttpClient client)
    {
        List<JsonNode?> records = [];
        for (var after = ""; ;)
        {
            var page = JsonNode.Parse(await client.GetStringAsync("/v1/usage/logs?limit=137" + after))!;
            records.AddRange(page["data"]!.AsArray());
            if (page["next"]?.GetValue<string>() is not { } next)
            {
                return records;
            }

            after = "&after=" + Uri.EscapeDataString(next);
        }
    }

    private static Total Sum(IEnumerable<JsonNode?> views, string? requests)
    {
        var sum = new Total(0, default, 0);
        foreach (var view in views)
        {
            var tokens = view!["tokens"]!;
            sum = sum.And(new Total(
                requests is null ? 1 : view[requests]!.GetValue<long>(),
                new TokenUsage(Of("input_uncached"), Of("cache_read"), Of("cache_write"), Of("output"), Of("reasoning")),
                view["cost_nano_usd"]!.GetValue<long>()));

            long Of(string name) => tokens[name]!.GetValue<long>();
        }

        return sum;
    }

    private static Total Sum(IEnumerable<UsageEvent> events) =>
        events.DistinctBy(one => one.Id).Aggregate(new Total(0, default, 0), (sum, one) => sum.And(new Total(1, one.Tokens, one.CostNanoUsd)));

    private static Total Sum(IEnumerable<UsageRecord> records) =>
        records.Aggregate(new Total(0, default, 0), (sum, one) => sum.And(new Total(1, one.Tokens, one.CostNanoUsd)));

    private sealed record Total(long Requests, TokenUsage Tokens, long CostNanoUsd)
    {
        public Total And(Total other) => new(
            Requests + other.Requests,
            new TokenUsage(
                Tokens.InputUncached + other.Tokens.InputUncached, Tokens.CacheRead + other.Tokens.CacheRead, Tokens.CacheWrite + other.Tokens.CacheWrite,
                Tokens.Output + other.Tokens.Output, Tokens.Reasoning + other.Tokens.Reasoning),
            CostNanoUsd + other.CostNanoUsd);

        public override string ToString() => $"{Requests} requests, {Tokens.Input} in, {Tokens.Output} out, {CostNanoUsd} nano-USD";
    }
}
