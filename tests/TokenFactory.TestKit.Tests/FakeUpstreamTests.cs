using System.Net;
using System.Text.Json;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Upstream;
using TokenFactory.TestKit.Upstream.Steps;
using Xunit;

namespace TokenFactory.TestKit.Tests;

public sealed class FakeUpstreamTests : IAsyncLifetime
{
    private FakeUpstream _upstream = null!;

    public async ValueTask InitializeAsync() => _upstream = await FakeUpstream.StartAsync();

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    [Fact]
    public async Task An_honest_answer_echoes_the_request_and_counts_its_words()
    {
        var response = await ChatAsync(The.ChatRequest(text: "tag7 red green"));

        using var answer = JsonDocument.Parse(response.Body);
        Assert.Equal(200, response.Status);
        Assert.Equal("Echo tag7 red green", answer.RootElement.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString());
        Assert.Equal((3, 4, 7), UsageOf(answer.RootElement));
        var request = Assert.Single(_upstream.Requests);
        Assert.Equal((3, 4, 7), (request.PromptTokens, request.CompletionTokens, request.TotalTokens));
        Assert.Equal(new UpstreamUsage(3, 4), request.StatedUsage);
    }

    [Fact]
    public async Task A_limit_of_tokens_ends_the_answer_with_length()
    {
        var response = await ChatAsync(The.ChatRequest(text: "a b c d", maxTokens: 2));

        Assert.Contains("\"finish_reason\":\"length\"", response.Text, StringComparison.Ordinal);
        Assert.Equal(2, _upstream.Requests[0].CompletionTokens);
    }

    [Fact]
    public async Task Usage_is_streamed_only_to_who_asks()
    {
        var unasked = await ChatAsync(The.ChatRequest(stream: true));
        var asked = await ChatAsync(The.ChatRequest(stream: true, usage: true));

        Assert.DoesNotContain("usage", unasked.Text, StringComparison.Ordinal);
        Assert.Contains("\"usage\":null", asked.Events[0], StringComparison.Ordinal);
        Assert.Contains("\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,", asked.Events[^2], StringComparison.Ordinal);
        Assert.Equal("[DONE]", asked.Events[^1]);
    }

    [Fact]
    public async Task Continuous_usage_is_a_running_total_for_who_asks()
    {
        var response = await ChatAsync(The.ChatRequest(stream: true, usage: true, change: request => request["stream_options"]!["continuous_usage_stats"] = true));

        var totals = response.Events.Take(5).Select(frame => UsageOf(JsonDocument.Parse(frame).RootElement).Completion);
        Assert.Equal([0, 1, 2, 3, 4], totals);
    }

    [Fact]
    public async Task Several_choices_share_one_prompt()
    {
        var response = await ChatAsync(The.ChatRequest(text: "a b", stream: true, usage: true, change: request => request["n"] = 2));

        Assert.Contains("\"prompt_tokens\":2,\"completion_tokens\":6,", response.Events[^2], StringComparison.Ordinal);
        Assert.Equal(2, response.Events.Count(frame => frame.Contains("\"finish_reason\":\"stop\"", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Text_completions_have_their_own_shape()
    {
        var response = await RawHttp.SendAsync(_upstream.BaseUrl, RawHttp.Post("/v1/completions", The.CompletionRequest(prompt: "a b", stream: true)));

        Assert.Contains("\"object\":\"text_completion\"", response.Events[0], StringComparison.Ordinal);
        Assert.Contains("\"text\":\"Echo\"", response.Events[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_next_request_plays_the_next_script_whatever_its_model()
    {
        _upstream.On("broken", Scripts.Get("ServerError")).Next(Scripts.Get("TooManyRequests"));

        var statuses = new[]
        {
            (await ChatAsync(The.ChatRequest())).Status,
            (await ChatAsync(The.ChatRequest(model: "broken"))).Status,
            (await ChatAsync(The.ChatRequest())).Status,
        };

        Assert.Equal([429, 500, 200], statuses);
        Assert.Equal(["TooManyRequests", "ServerError", "honest"], _upstream.Requests.Select(request => request.Script));
    }

    [Fact]
    public async Task A_gate_holds_the_stream_until_it_opens()
    {
        var gate = new Gate();
        _upstream.Next(Script.Stream().Stalls(Place.AfterPieces(2), gate));
        await using var raw = await RawHttp.ConnectAsync(_upstream.BaseUrl);
        await raw.SendAsync(RawHttp.Post("/v1/chat/completions", The.ChatRequest(stream: true)));

        await gate.Reached;
        Assert.Equal(2, _upstream.Requests[0].CompletionTokens);
        gate.Open();

        Assert.Equal("[DONE]", (await raw.ReadResponseAsync()).Events[^1]);
        Assert.Equal(4, _upstream.Requests[0].CompletionTokens);
    }

    [Theory]
    [InlineData("StallsBeforeHead")]
    [InlineData("StallsMidway")]
    [InlineData("NeverEnding")]
    public async Task A_caller_that_goes_away_is_noticed(string script)
    {
        _upstream.Next(Scripts.Get(script));
        await using var raw = await RawHttp.ConnectAsync(_upstream.BaseUrl);
        await raw.SendAsync(RawHttp.Post("/v1/chat/completions", The.ChatRequest(stream: true)));
        await _upstream.WaitForAsync(requests: 1);

        raw.Reset();

        await _upstream.WaitForAsync(upstream => upstream.Totals.Aborted == 1);
        Assert.True(_upstream.Requests[0].ClientAborted);
        Assert.NotNull(_upstream.Requests[0].ClientAbortedAfter);
    }

    [Fact]
    public async Task A_request_is_kept_as_it_arrived()
    {
        var body = The.ChatRequest(text: "kept");
        await RawHttp.SendAsync(_upstream.BaseUrl, RawHttp.Post("/v1/chat/completions?x=1", body, "authorization: Bearer secret", "x-request-id: r-1"));

        var request = Assert.Single(_upstream.Requests);
        Assert.Equal(("POST", "/v1/chat/completions?x=1", "Bearer secret", "r-1"), (request.Method, request.Path, request.Headers.Authorization.ToString(), request.RequestId));
        Assert.Equal(body, request.Body.ToArray());
    }

    [Fact]
    public async Task A_wait_that_is_not_met_says_what_was_seen()
    {
        var late = await Assert.ThrowsAsync<TimeoutException>(() => _upstream.WaitForAsync(requests: 1, TimeSpan.FromMilliseconds(30)));

        Assert.Contains("0 requests", late.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_script_that_breaks_tells_who_waits()
    {
        _upstream.Next(Script.Stream().Does(Place.AfterHead, _ => throw new NotSupportedException("of the test")));
        await ChatAsync(The.ChatRequest(stream: true));

        var broken = await Assert.ThrowsAsync<InvalidOperationException>(() => _upstream.WaitForAsync(requests: 2));

        Assert.Equal("of the test", broken.InnerException?.Message);
    }

    [Fact]
    public async Task A_key_is_required_when_set_and_an_unlisted_model_is_unknown_when_asked_so()
    {
        (_upstream.RequiredKey, _upstream.KnowsListedModelsOnly) = ("right", true);

        var wrong = await RawHttp.SendAsync(_upstream.BaseUrl, RawHttp.Post("/v1/chat/completions", The.ChatRequest(), "authorization: Bearer wrong"));
        var unknown = await RawHttp.SendAsync(_upstream.BaseUrl, RawHttp.Post("/v1/chat/completions", The.ChatRequest(model: "other"), "authorization: Bearer right"));

        Assert.Equal((401, 404), (wrong.Status, unknown.Status));
    }

    [Fact]
    public async Task The_listed_models_are_its_models_and_its_health_is_good()
    {
        _upstream.Models = ["one", "org/two"];
        using var client = new HttpClient();

        var list = await client.GetStringAsync(new Uri(_upstream.BaseUrl + "/models"));
        var one = await client.GetStringAsync(new Uri(_upstream.BaseUrl + "/models/org%2Ftwo"));
        using var health = await client.GetAsync(new Uri(_upstream.BaseUrl, "/health"));

        Assert.Contains("\"id\":\"org/two\"", list, StringComparison.Ordinal);
        Assert.Contains("\"id\":\"org/two\"", one, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
    }

    [Fact]
    public async Task Another_upstream_can_come_back_on_the_same_port()
    {
        await _upstream.DisposeAsync();
        _upstream = await FakeUpstream.StartAsync(new FakeUpstreamOptions { Port = _upstream.Port });

        Assert.Equal(200, (await ChatAsync(The.ChatRequest())).Status);
    }

    [Fact]
    public async Task Thousands_of_requests_are_served_and_counted_in_seconds()
    {
        await using var upstream = await FakeUpstream.StartAsync(new FakeUpstreamOptions { KeepBodies = false, KeepRequests = 100 });
        using var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 32 }) { Timeout = TimeSpan.FromSeconds(30) };
        var address = new Uri(upstream.BaseUrl + "/chat/completions");

        await Parallel.ForAsync(0, 3000, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (number, cancellation) =>
        {
            using var content = new ByteArrayContent(The.ChatRequest(text: $"tag{number} x", stream: number % 2 == 0, usage: true));
            using var response = await client.PostAsync(address, content, cancellation);
            Assert.Contains($"tag{number}", await response.Content.ReadAsStringAsync(cancellation), StringComparison.Ordinal);
        });

        await upstream.WaitForAsync(seen => seen.Totals.Finished == 3000);
        Assert.Equal((3000, 1500, 0, 6000, 9000), (upstream.Totals.Requests, upstream.Totals.Streams, upstream.Totals.Aborted, upstream.Totals.PromptTokens, upstream.Totals.CompletionTokens));
        Assert.Equal(100, upstream.Requests.Count);
    }

    private Task<RawResponse> ChatAsync(byte[] body) => RawHttp.SendAsync(_upstream.BaseUrl, RawHttp.Post("/v1/chat/completions", body));

    private static (int Prompt, int Completion, int Total) UsageOf(JsonElement root)
    {
        var usage = root.GetProperty("usage");
        return (usage.GetProperty("prompt_tokens").GetInt32(), usage.GetProperty("completion_tokens").GetInt32(), usage.GetProperty("total_tokens").GetInt32());
    }
}
