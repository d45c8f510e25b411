using System.Diagnostics;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Upstream;
using TokenFactory.TestKit.Upstream.Steps;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path;

/// <summary>While a backend is silent its client hears a comment every second, and every promise holds after one.</summary>
public sealed class KeepAliveTests(KeepAliveTests.Backend backend) : IClassFixture<KeepAliveTests.Backend>
{
    private const string Comment = ": keep-alive\n\n";
    private static readonly TimeSpan _silence = TimeSpan.FromMilliseconds(2300);

    [Fact]
    public async Task P7_comments_come_before_the_first_byte_and_between_events_only()
    {
        backend.Upstream.Next(Script.Stream().Waits(Place.AfterPieces(2), _silence).Waits(Place.Start, _silence));
        var asked = Stopwatch.GetTimestamp();

        var response = await backend.ChatAsync(The.ChatRequest(stream: true));

        Told.Completes(response);
        Assert.Equal(Told.Answer, Told.Text(response));
        Assert.StartsWith(Comment, response.Text, StringComparison.Ordinal);
        var blocks = response.Text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        var comments = blocks.Select(block => block == Comment.TrimEnd()).ToArray();
        Assert.Contains(true, comments.SkipWhile(comment => comment));
        Assert.InRange(comments.Count(comment => comment), 2, (int)Stopwatch.GetElapsedTime(asked).TotalSeconds);
        Assert.All(blocks, block => Assert.True(block == Comment.TrimEnd() || (block.StartsWith("data: ", StringComparison.Ordinal) && !block.Contains('\n')), block));
        Told.Settled(await backend.SettlementAsync(Told.RequestId(response)), "completed", "reported", 3, 4);
    }

    [Fact]
    public async Task P7_a_comment_waits_until_half_an_event_is_whole()
    {
        backend.Upstream.Next(Script.Stream().Does(Place.AfterPieces(2), async play =>
        {
            await play.WriteAsync("data: {\"choices\":[{\"index\":0,"u8.ToArray());
            await play.PauseAsync(_silence);
            await play.WriteAsync("\"delta\":{\"content\":\" half\"},\"finish_reason\":null}]}\n\n"u8.ToArray());
        }));

        var response = await backend.ChatAsync(The.ChatRequest(stream: true));

        Told.Completes(response);
        Assert.Equal("one two half three four", Told.Text(response));
        Assert.Contains(Comment, response.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task P7_the_next_candidate_answers_after_a_comment()
    {
        backend.Upstream.Next(Scripts.Get("ServerError").Waits(Place.Start, _silence));

        var response = await backend.ChatAsync(The.ChatRequest("both", stream: true));

        Told.Completes(response);
        Assert.StartsWith(Comment, response.Text, StringComparison.Ordinal);
        Assert.Equal(Told.Answer, Told.Text(response));
        var settlement = await backend.SettlementAsync(Told.RequestId(response));
        Told.Settled(settlement, "completed", "reported", 3, 4);
        Assert.Equal(2, settlement.GetProperty("attempts").GetInt32());
    }

    [Theory]
    [InlineData("ServerError", "upstream_error")]
    [InlineData("FinBeforeHead", "upstream_error")]
    [InlineData("TooManyRequests", "rate_limit_exceeded")]
    [InlineData("BadRequestOfVllm", "context_length_exceeded")]
    [InlineData("ErrorBodyWith200", "upstream_error")]
    public async Task P7_a_failure_after_a_comment_is_told_in_band(string failure, string code)
    {
        backend.Upstream.Next(Scripts.Get(failure).Waits(Place.Start, TimeSpan.FromMilliseconds(1300)));

        var response = await backend.ChatAsync(The.ChatRequest(stream: true));

        Assert.StartsWith(Comment, response.Text, StringComparison.Ordinal);
        Assert.Equal(code, Told.Breaks(response).GetProperty("code").GetString());
    }

    [Fact]
    public async Task P7_a_whole_body_after_a_comment_is_a_failure_because_the_stream_has_begun()
    {
        backend.Upstream.Next(Script.Answer().Waits(Place.Start, TimeSpan.FromMilliseconds(1300)));

        var response = await backend.ChatAsync(The.ChatRequest(stream: true));

        Assert.Equal("upstream_error", Told.Breaks(response).GetProperty("code").GetString());
        Assert.Equal("failed", (await backend.SettlementAsync(Told.RequestId(response))).GetProperty("outcome").GetString());
    }

    [Fact]
    public async Task P7_an_answer_that_is_no_stream_gets_no_comments()
    {
        backend.Upstream.Next(Script.Answer().Waits(Place.Start, TimeSpan.FromMilliseconds(1300)));

        var response = await backend.ChatAsync(The.ChatRequest());

        Assert.Equal(200, response.Status);
        Assert.DoesNotContain("keep-alive", response.Text, StringComparison.Ordinal);
        Assert.Equal(Told.Answer, Told.Text(response));
    }

    public sealed class Backend : PathGateway
    {
        protected override string Config => $$"""
            server: { keep_alive: 1s }
            providers: [ { name: lab, kind: openai } ]
            deployments:
              - { name: one, provider: lab, endpoints: ["{{Upstream.BaseUrl}}"], health: { path: "false" }, max_rest: 0s, circuit: { enabled: false } }
              - { name: both, provider: lab, endpoints: ["{{Upstream.BaseUrl}}"], health: { path: "false" }, max_rest: 0s, circuit: { enabled: false } }
              - { name: two, provider: lab, endpoints: ["{{Other.BaseUrl}}"], health: { path: "false" }, max_rest: 0s, circuit: { enabled: false } }
            models:
              - { name: fake-model, deployments: [ { use: one } ] }
              - { name: both, deployments: [ { use: both, priority: 0 }, { use: two, priority: 1 } ] }
            """;
    }
}
