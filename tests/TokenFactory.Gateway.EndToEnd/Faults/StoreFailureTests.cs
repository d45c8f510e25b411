using TokenFactory.Storage.Ledger;
using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Upstream;
using TokenFactory.TestKit.Upstream.Steps;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Faults;

/// <summary>The store takes nothing for a while: nothing is told as done, and what was admitted is settled as soon as it can be.</summary>
public sealed class StoreFailureTests
{
    private static readonly Plan _stream = new("/v1/chat/completions", Site.Reporting, "alpha beta gamma delta", Stream: true, AsksUsage: true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task P1_P2_an_answer_that_could_not_be_recorded_is_not_ended_and_is_settled_when_the_store_works_again(bool stream)
    {
        var gate = new Gate();
        using var data = new TempFolder();
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.On(Site.Reporting, Script.Honest.Stalls(Place.AfterPieces(stream ? 3 : 1), gate));
        await using var gateway = await GatewayProcess.StartAsync(Site.Options(upstream, data));
        using var client = Site.Client(gateway);
        var books = new Books(data.Path);

        var calling = Caller.MakeAsync(client, _stream with { Stream = stream });
        await gate.Reached;
        Assert.Single(await books.AdmissionsAsync());
        Call call;
        await using (await books.HoldAsync())
        {
            gate.Open();
            call = await calling;
            var refused = await Caller.MakeAsync(client, _stream);
            Assert.Equal((503, "usage_not_recorded"), (refused.Status, refused.ErrorCode));
        }

        Assert.False(call.Whole);
        Assert.Equal("usage_not_recorded", call.ErrorCode);
        var settled = await FirstSettlementAsync(books);
        Assert.Equal((call.Id, Outcome.Failed, "journal_unavailable"), (settled.RequestId, settled.Outcome, settled.Error));
        Assert.Equal(stream ? (Evidence.Reported, 5L) : (Evidence.KnownZero, 0L), (settled.Evidence, settled.Tokens.Output));

        // Only what was admitted is in the ledger, and it stays as it was written.
        upstream.IsHonest();
        await ServesAgainAsync(client);
        Assert.Equal(0, await gateway.StopAsync());
        Assert.Empty(await books.OpenAsync());
        Assert.Equal((await books.AdmissionsAsync()).Order(), (await books.SettlementIdsAsync()).Order());
        Assert.Equal((await books.AdmissionsAsync()).Order(), books.Events().Select(one => one.Id).Order());
    }

    [Fact]
    public async Task P1_no_byte_leaves_before_the_admission_is_durable_though_the_backend_is_asked_meanwhile()
    {
        using var data = new TempFolder();
        await using var upstream = await FakeUpstream.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(Site.Options(upstream, data));
        using var client = Site.Client(gateway);
        var books = new Books(data.Path);
        using var request = new HttpRequestMessage(HttpMethod.Post, _stream.Path) { Content = new ByteArrayContent(_stream.Body()) };
        request.Content.Headers.ContentType = new("application/json");

        Task<HttpResponseMessage> head;
        await using (await books.HoldAsync())
        {
            head = client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            await upstream.WaitForAsync(one => one.Totals.Finished == 1);
            await Task.Delay(TimeSpan.FromSeconds(1));
            Assert.False(head.IsCompleted, "the head left before the admission was durable");
            Assert.Empty(await books.AdmissionsAsync());
        }

        using var response = await head;
        Assert.Equal(200, (int)response.StatusCode);
        Assert.Single(await books.AdmissionsAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task P1_the_last_byte_waits_for_the_settlement(bool stream)
    {
        var gate = new Gate();
        using var data = new TempFolder();
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.On(Site.Reporting, Script.Honest.Stalls(Place.AfterPieces(1), gate));
        await using var gateway = await GatewayProcess.StartAsync(Site.Options(upstream, data));
        using var client = Site.Client(gateway);
        var books = new Books(data.Path);

        var calling = Caller.MakeAsync(client, _stream with { Stream = stream });
        await gate.Reached;
        await using (await books.HoldAsync())
        {
            gate.Open();
            await upstream.WaitForAsync(one => one.Totals.Finished == 1);
            await Task.Delay(TimeSpan.FromSeconds(1));
            Assert.False(calling.IsCompleted, "the answer ended before its settlement was durable");
        }

        var call = await calling;
        Assert.True(call.Whole);
        Assert.Equal(Outcome.Completed, (await books.SettlementsAsync())[call.Id!.Value].Outcome);
    }

    [Fact]
    public async Task P1_a_request_whose_admission_never_became_durable_gets_no_answer_and_leaves_no_record()
    {
        using var data = new TempFolder();
        await using var upstream = await FakeUpstream.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(Site.Options(upstream, data));
        using var client = Site.Client(gateway);
        var books = new Books(data.Path);

        Call call;
        await using (await books.HoldAsync())
        {
            call = await Caller.MakeAsync(client, _stream);
        }

        Assert.Equal((503, "usage_not_recorded", ""), (call.Status, call.ErrorCode, call.Text));
        await ServesAgainAsync(client);
        Assert.Equal(0, await gateway.StopAsync());
        Assert.DoesNotContain(call.Id!.Value, await books.AdmissionsAsync());
        Assert.Equal((await books.AdmissionsAsync()).Order(), (await books.SettlementIdsAsync()).Order());
    }

    private static async Task<UsageRecord> FirstSettlementAsync(Books books)
    {
        for (var look = 0; look < 150; look++)
        {
            if ((await books.SettlementsAsync()).Values.SingleOrDefault() is { } settled)
            {
                return settled;
            }

            await Task.Delay(100);
        }

        throw new TimeoutException("The admission was still open 15 s after the store worked again.");
    }

    private static async Task ServesAgainAsync(HttpClient client)
    {
        for (var look = 0; look < 100; look++)
        {
            if ((await Caller.MakeAsync(client, _stream)).Whole)
            {
                return;
            }

            await Task.Delay(100);
        }

        throw new TimeoutException("The gateway refused for 10 s after the store worked again.");
    }
}
