using System.Text;
using System.Text.Json;
using TokenFactory.Storage.Ledger;
using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Upstream;
using TokenFactory.TestKit.Upstream.Steps;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Faults;

/// <summary>A stream of Responses has no terminator of its own: its last event is what waits for the settlement, and a store that takes nothing makes it an error.</summary>
public sealed class ResponsesHeldTests
{
    [Theory]
    [InlineData("response.completed", false)]
    [InlineData("event: error", true)]
    public async Task P1_the_last_event_waits_for_the_settlement_and_is_an_error_when_there_is_none(string ending, bool isLost)
    {
        var gate = new Gate();
        using var data = new TempFolder();
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.On(Site.Reporting, Script.Honest.Stalls(Place.AfterPieces(3), gate));
        var options = Site.Options(upstream, data);
        await using var gateway = await GatewayProcess.StartAsync(options with { Config = options.Config!.Replace("{ name: reporting, provider: fake,", "{ name: reporting, provider: fake, operations: [responses],", StringComparison.Ordinal) });
        using var client = Site.Client(gateway);
        var books = new Books(data.Path);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/responses") { Content = new StringContent($$"""{"model":"{{Site.Reporting}}","stream":true,"input":"alpha beta gamma delta"}""", Encoding.UTF8, "application/json") };

        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using var body = await response.Content.ReadAsStreamAsync();
        using var told = new MemoryStream();
        await gate.Reached;
        var copying = CopyAsync(body, told);
        await using (await books.HoldAsync())
        {
            gate.Open();
            await upstream.WaitForAsync(one => one.Totals.Finished == 1);
            await Task.Delay(TimeSpan.FromSeconds(1));
            Assert.DoesNotContain("response.completed", Encoding.UTF8.GetString(told.ToArray()), StringComparison.Ordinal);
            if (isLost)
            {
                await copying;
            }
        }

        await copying;
        Assert.Contains(ending, Encoding.UTF8.GetString(told.ToArray()), StringComparison.Ordinal);
        Assert.Equal(!isLost, Encoding.UTF8.GetString(told.ToArray()).Contains("event: response.completed", StringComparison.Ordinal));
        var id = Guid.Parse(Assert.Single(response.Headers.GetValues("x-request-id")));
        for (var attempt = 0; attempt < 200 && !(await books.SettlementsAsync()).ContainsKey(id); attempt++)
        {
            await Task.Delay(50);
        }

        Assert.Equal(isLost ? Outcome.Failed : Outcome.Completed, (await books.SettlementsAsync())[id].Outcome);
    }

    [Fact]
    public async Task P1_a_kept_response_is_not_deleted_while_nothing_can_be_recorded_and_its_admission_is_closed()
    {
        using var data = new TempFolder();
        await using var upstream = await FakeUpstream.StartAsync();
        var options = Site.Options(upstream, data);
        await using var gateway = await GatewayProcess.StartAsync(options with { Config = options.Config!.Replace("{ name: reporting, provider: fake,", "{ name: reporting, provider: fake, operations: [responses],", StringComparison.Ordinal) });
        using var client = Site.Client(gateway);
        var books = new Books(data.Path);
        using var given = await client.PostAsync(new Uri("/v1/responses", UriKind.Relative), new StringContent($$"""{"model":"{{Site.Reporting}}","input":"alpha"}""", Encoding.UTF8, "application/json"));
        var kept = JsonDocument.Parse(await given.Content.ReadAsStringAsync()).RootElement.GetProperty("id").GetString();
        var path = new Uri($"/v1/responses/{kept}", UriKind.Relative);
        var before = upstream.Totals.Requests;

        HttpResponseMessage refused;
        await using (await books.HoldAsync())
        {
            refused = await client.DeleteAsync(path);
        }

        Assert.Equal((503, before), ((int)refused.StatusCode, upstream.Totals.Requests));
        var id = Guid.Parse(Assert.Single(refused.Headers.GetValues("x-request-id")));
        refused.Dispose();
        for (var attempt = 0; attempt < 400 && (await books.OpenAsync()).Count > 0; attempt++)
        {
            await Task.Delay(50);
        }

        Assert.Empty(await books.OpenAsync());
        Assert.True(!(await books.SettlementsAsync()).TryGetValue(id, out var settled) || settled.Outcome == Outcome.Failed);
        using var deleted = await UntilServedAsync(() => client.DeleteAsync(path));
        Assert.Equal(200, (int)deleted.StatusCode);
    }

    /// <summary>The journal finds out by itself that its store is back.</summary>
    private static async Task<HttpResponseMessage> UntilServedAsync(Func<Task<HttpResponseMessage>> ask)
    {
        for (var attempt = 0; ; attempt++)
        {
            var answer = await ask();
            if ((int)answer.StatusCode != 503 || attempt == 100)
            {
                return answer;
            }

            answer.Dispose();
            await Task.Delay(100);
        }
    }

    private static async Task CopyAsync(Stream from, MemoryStream to)
    {
        try
        {
            await from.CopyToAsync(to);
        }
        catch (Exception cut) when (cut is IOException or HttpRequestException)
        {
            // A stream that failed does not end in order.
        }
    }
}
