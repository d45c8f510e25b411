using System.Diagnostics;
using System.Net;
using System.Text.Json;
using TokenFactory.Storage.Ledger;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Servers;
using TokenFactory.TestKit.Upstream;
using TokenFactory.TestKit.Upstream.Steps;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Faults;

/// <summary>Replicas that share one PostgreSQL and one Redis, and nothing on a disk.</summary>
public sealed class ReplicasTests(ReplicasTests.Servers servers) : IClassFixture<ReplicasTests.Servers>
{
    private const int Replicas = 3;

    [Fact]
    public async Task P5_a_budget_is_never_exceeded_by_a_hundred_calls_at_once_over_three_replicas()
    {
        const long Budget = 1500;
        await using var site = await servers.OpenAsync(tokensPerMonth: Budget, Replicas);
        var request = The.ChatRequest(Site.Reporting, "alpha beta", maxTokens: 40);

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(call => UntilDecidedAsync(site.Clients[call % Replicas], request)));

        Assert.Contains(HttpStatusCode.OK, answers);
        Assert.Contains(HttpStatusCode.TooManyRequests, answers);
        Assert.All(answers, status => Assert.True(status is HttpStatusCode.OK or HttpStatusCode.TooManyRequests, status.ToString()));
        var settlements = (await site.Books.SettlementsAsync()).Values.ToList();
        Assert.Equal(answers.Count(status => status == HttpStatusCode.OK), settlements.Count);
        Assert.InRange(settlements.Sum(one => one.Tokens.Total), 1, Budget);
    }

    [Fact]
    public async Task P4_a_key_revoked_at_one_place_is_soon_refused_by_every_replica()
    {
        await using var site = await servers.OpenAsync(tokensPerMonth: 1_000_000, Replicas);
        var created = await site.CommandAsync("admin", "keys", "create", "--tenant", "acme", "--project", "search", "--name", "made");
        var key = created.Output.Trim();
        await UntilAllAsync(site, key, HttpStatusCode.OK);

        var id = key.Split('_')[1];
        await site.CommandAsync("admin", "keys", "revoke", id);
        var revoked = Stopwatch.GetTimestamp();
        await UntilAllAsync(site, key, HttpStatusCode.Unauthorized);

        // Two seconds are the promise; the rest is for a machine that runs other tests beside this one.
        Assert.InRange(Stopwatch.GetElapsedTime(revoked), TimeSpan.Zero, TimeSpan.FromSeconds(8));
    }

    [Fact]
    public async Task P2_what_a_killed_replica_left_open_is_settled_once_by_one_that_lives()
    {
        var gate = new Gate();
        await using var site = await servers.OpenAsync(tokensPerMonth: 1_000_000, replicas: 2);
        site.Upstream.On(Site.Reporting, Script.Honest.Stalls(Place.AfterPieces(2), gate));
        var calling = Caller.MakeAsync(site.Clients[0], new Plan("/v1/chat/completions", Site.Reporting, "alpha beta gamma delta", Stream: true, AsksUsage: true));
        await gate.Reached;
        await UntilAsync(async () => (await site.Books.OpenAsync()).Count == 1, "the request was not admitted");

        await site.Gateways[0].KillAsync();
        var call = await calling;
        Assert.False(call.Whole);
        await UntilAsync(async () => (await site.Books.OpenAsync()).Count == 0, "nobody settled what the dead replica left open");

        var settled = Assert.Single(await site.Books.SettlementsAsync()).Value;
        Assert.Equal((site.Upstream.Requests[0].RequestId, Outcome.Orphaned), (settled.RequestId.ToString("D"), settled.Outcome));
        Assert.Single(await site.Books.SettlementIdsAsync());
        Assert.Single(await site.Books.OutboxIdsAsync());
    }

    [Fact]
    public async Task P2_P7_a_stream_of_one_replica_is_seen_and_stopped_through_another_and_settled_once_with_what_was_delivered()
    {
        var gate = new Gate();
        await using var site = await servers.OpenAsync(tokensPerMonth: 1_000_000, replicas: 2);
        site.Upstream.On(Site.Mute, Script.Honest.Stalls(Place.AfterPieces(2), gate));
        var calling = Caller.MakeAsync(site.Clients[0], new Plan("/v1/chat/completions", Site.Mute, "alpha beta gamma delta", Stream: true, AsksUsage: true));
        await gate.Reached;
        var upstream = Assert.Single(site.Upstream.Requests);
        await UntilAsync(async () => (await RunningAsync(site.Clients[1])).Count == 1, "the other replica does not see what runs");

        using (var answer = await site.Clients[1].PostAsync($"/v1/requests/{upstream.RequestId}/cancel", null))
        {
            Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        }

        await site.Upstream.WaitForAsync(_ => upstream.ClientAborted, TimeSpan.FromSeconds(30));
        var call = await calling;
        Assert.False(call.Whole);
        await UntilAsync(async () => (await site.Books.OpenAsync()).Count == 0, "the cancelled request stays open");
        var settled = Assert.Single(await site.Books.SettlementsAsync()).Value;
        Assert.Equal((upstream.RequestId, Outcome.Cancelled, Evidence.Counted), (settled.RequestId.ToString("D"), settled.Outcome, settled.Evidence));
        Assert.Equal(upstream.CompletionTokens, settled.Tokens.Output);
        Assert.Single(await site.Books.SettlementIdsAsync());
        Assert.Single(await site.Books.OutboxIdsAsync());
        Assert.Empty(await RunningAsync(site.Clients[0]));
    }

    private static async Task<List<string>> RunningAsync(HttpClient client)
    {
        using var page = JsonDocument.Parse(await client.GetStringAsync(new Uri("/v1/requests?state=running", UriKind.Relative)));
        return [.. page.RootElement.GetProperty("data").EnumerateArray().Select(one => one.GetProperty("id").GetString()!)];
    }

    private static async Task<HttpStatusCode> AskAsync(HttpClient client, byte[] body, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new("application/json");
        if (key is not null)
        {
            request.Headers.Authorization = new("Bearer", key);
        }

        using var answer = await client.SendAsync(request);
        return answer.StatusCode;
    }

    /// <summary>A take that Redis does not answer within 20 ms is refused with 503, which on a busy machine happens: too few are served then, never too many.</summary>
    private static async Task<HttpStatusCode> UntilDecidedAsync(HttpClient client, byte[] body)
    {
        HttpStatusCode status;
        for (var tries = 0; (status = await AskAsync(client, body)) == HttpStatusCode.ServiceUnavailable && tries < 30; tries++)
        {
            await Task.Delay(500);
        }

        return status;
    }

    private static async Task UntilAsync(Func<Task<bool>> holds, string otherwise)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(60), otherwise);
            await Task.Delay(100);
        }
    }

    private static async Task UntilAllAsync(SharedSite site, string key, HttpStatusCode expected)
    {
        var started = Stopwatch.GetTimestamp();
        foreach (var client in site.Clients)
        {
            HttpStatusCode status;
            while ((status = await AskAsync(client, The.ChatRequest(Site.Reporting, "alpha"), key)) != expected)
            {
                Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(30), $"a replica still answers {status}");
                await Task.Delay(50);
            }
        }
    }

    /// <summary>The servers, once for all tests; each test has a database and tenants' counters of its own.</summary>
    public sealed class Servers : IAsyncLifetime
    {
        private PostgresServer _postgres = null!;

        public async ValueTask InitializeAsync() => _postgres = await PostgresServer.StartAsync();

        public ValueTask DisposeAsync() => _postgres.DisposeAsync();

        internal async Task<SharedSite> OpenAsync(long tokensPerMonth, int replicas) =>
            await SharedSite.OpenAsync(_postgres.ConnectionString(await _postgres.NewDatabaseAsync()), tokensPerMonth, replicas);
    }
}
