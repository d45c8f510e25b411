using TokenFactory.Storage.Ledger;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Servers;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Faults;

/// <summary>The whole process on a real PostgreSQL.</summary>
public sealed class PostgresTests
{
    [Fact]
    public async Task P1_A_gateway_on_postgres_answers_streams_and_tells_its_usage()
    {
        await using var server = await PostgresServer.StartAsync();
        var connection = server.ConnectionString(await server.NewDatabaseAsync());
        using var data = new TempFolder();
        await using var upstream = await FakeUpstream.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(Site.Options(upstream, data).OnPostgres(connection));
        using var client = Site.Client(gateway);
        var books = new Books(data.Path, connection);

        var answers = await Task.WhenAll(AskAsync(client, stream: false), AskAsync(client, stream: true));
        Assert.Contains("\"usage\"", answers[0].Text, StringComparison.Ordinal);
        Assert.EndsWith("data: [DONE]\n\n", answers[1].Text, StringComparison.Ordinal);
        var settled = await books.SettlementsAsync();
        Assert.Equal(answers.Select(one => one.Id).Order(), settled.Keys.Order());
        Assert.All(settled.Values, one => Assert.Equal(Outcome.Completed, one.Outcome));

        Assert.Equal(0, await gateway.StopAsync());
        Assert.Equal(settled.Keys.Order(), books.Events().Select(one => one.Id).Order());
        Assert.False(File.Exists(data.File("gateway.db")));
    }

    [Fact]
    public async Task P12_A_store_that_cannot_be_reached_stops_the_start_and_says_why()
    {
        await using var upstream = await FakeUpstream.StartAsync();
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(
            () => GatewayProcess.StartAsync(Site.Options(upstream).OnPostgres("Host=127.0.0.1;Port=1;Database=gateway;Username=me;Password=hidden")));

        Assert.Contains("ended with 1", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("cannot be reached", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", refusal.Message, StringComparison.Ordinal);
    }

    private static async Task<(Guid Id, string Text)> AskAsync(HttpClient client, bool stream)
    {
        using var content = new ByteArrayContent(The.ChatRequest(Site.Reporting, "alpha beta", stream: stream));
        content.Headers.ContentType = new("application/json");
        using var answer = await client.PostAsync("/v1/chat/completions", content);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return (Guid.Parse(answer.Headers.GetValues("x-request-id").Single()), text);
    }
}
