using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Faults;

/// <summary>Events reach a consumer over HTTP whatever it does: each at least once, in order, with the same bytes every time.</summary>
public sealed class RelayTests
{
    private const string Sink = "billing";

    // A pause may be as long as the trouble before it, so a few failures in a row are a minute: the bound is for a relay that stopped.
    private static readonly TimeSpan _atLast = TimeSpan.FromMinutes(3);
    private static readonly Plan _ask = new("/v1/chat/completions", Site.Reporting, "alpha beta", Stream: false, AsksUsage: false);

    [Fact]
    public async Task P2_a_consumer_that_is_away_then_slow_then_failing_gets_every_event_in_order_with_the_same_bytes()
    {
        using var data = new TempFolder();
        await using var upstream = await FakeUpstream.StartAsync();
        await using var receiver = new Receiver();
        await using var gateway = await GatewayProcess.StartAsync(Site.Options(upstream, data, more: Sinks(receiver)));
        using var client = Site.Client(gateway);
        var books = new Books(data.Path);
        var failures = 0;

        // Away.
        await AskAsync(client, 7);
        await Task.Delay(TimeSpan.FromSeconds(1));
        Assert.Equal(0, await books.CursorAsync(Sink));

        // Slow, and what it took while it was slow it answers with an error: it will get the same again.
        receiver.Answer = async _ =>
        {
            await Task.Delay(300);
            return Interlocked.Increment(ref failures) <= 2 ? 500 : 204;
        };
        await receiver.StartAsync();
        await AskAsync(client, 5);
        await receiver.WaitForAsync(one => one.Taken.Count == 12, _atLast);

        // Well.
        receiver.Answer = _ => Task.FromResult(200);
        await AskAsync(client, 4);
        Assert.Equal(0, await gateway.StopAsync());

        var written = await books.OutboxIdsAsync();
        Assert.Equal(16, written.Count);
        Assert.Equal(written, receiver.Taken);
        Assert.True(receiver.Postings.Count(one => one.Status == 500) >= 2);
        var sameLines = receiver.Postings.SelectMany(one => one.Events).Concat(books.Events().Select(one => (one.Id, one.Line))).GroupBy(one => one.Item1);
        Assert.All(sameLines, same => Assert.Single(same.Select(one => one.Item2).Distinct()));
        Assert.Equal(written.Count, await books.CursorAsync(Sink));
        Assert.Empty(await books.DeadLetterIdsAsync());
    }

    [Fact]
    public async Task P2_an_event_that_the_consumer_never_takes_is_parked_and_the_others_pass_it()
    {
        using var data = new TempFolder();
        await using var upstream = await FakeUpstream.StartAsync();
        await using var receiver = new Receiver { Answer = _ => Task.FromResult(503) };
        await receiver.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(Site.Options(upstream, data, more: Sinks(receiver)));
        using var client = Site.Client(gateway);
        var books = new Books(data.Path);

        await AskAsync(client, 8);
        var written = await books.OutboxIdsAsync();
        var poison = written[4];
        receiver.Answer = ids => Task.FromResult(ids.Contains(poison) ? 400 : 204);
        await receiver.WaitForAsync(one => one.Taken.Count == 7, _atLast);
        await AskAsync(client, 1);
        await receiver.WaitForAsync(one => one.Taken.Count == 8, _atLast);
        Assert.Equal(0, await gateway.StopAsync());

        Assert.Equal((await books.OutboxIdsAsync()).Except([poison]), receiver.Taken);
        Assert.Equal(poison, Assert.Single(await books.DeadLetterIdsAsync()));
        Assert.Equal(9, await books.CursorAsync(Sink));

        // The file beside it has every event: a sink's trouble is its own.
        Assert.Equal(await books.OutboxIdsAsync(), books.Events().Select(one => one.Id));
    }

    private static string Sinks(Receiver receiver) => $$"""
        sinks:
          - { name: events, kind: file, path: events.jsonl }
          - { name: {{Sink}}, kind: cloudevents, url: "{{receiver.Url}}", batch: 3 }
        """;

    private static async Task AskAsync(HttpClient client, int times)
    {
        for (var time = 0; time < times; time++)
        {
            Assert.True((await Caller.MakeAsync(client, _ask)).Whole);
        }
    }
}
