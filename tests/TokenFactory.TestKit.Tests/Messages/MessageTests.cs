using System.Text.Json;
using System.Text.Json.Nodes;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.TestKit.Tests.Messages;

/// <summary>The upstream answers a Messages request as Anthropic does: shapes, order, counts and reasons.</summary>
public sealed class MessageTests : IAsyncLifetime
{
    private FakeUpstream _upstream = null!;

    public async ValueTask InitializeAsync() => _upstream = await FakeUpstream.StartAsync();

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    [Fact]
    public async Task An_honest_message_echoes_the_request_and_counts_its_words()
    {
        var (response, message) = await AskAsync(The.MessageRequest(text: "tag7 red green", change: request => request["system"] = "be brief"));

        Assert.Equal(("message", "assistant", "fake-model", "end_turn"), (Text(message, "type"), Text(message, "role"), Text(message, "model"), Text(message, "stop_reason")));
        Assert.Equal("Echo tag7 red green", Text(Assert.Single(message.GetProperty("content").EnumerateArray()), "text"));
        Assert.Equal((5, 4), Usage(message));
        Assert.StartsWith("msg_", Text(message, "id"), StringComparison.Ordinal);
        Assert.StartsWith("req_", response.Headers["request-id"], StringComparison.Ordinal);
        await _upstream.WaitForAsync(seen => seen.Totals.Finished == 1);
        Assert.Equal((5, 4), (_upstream.Totals.PromptTokens, _upstream.Totals.CompletionTokens));
        Assert.Equal(new UpstreamUsage(5, 4), _upstream.Requests[0].StatedUsage);
    }

    [Fact]
    public async Task A_stream_tells_its_events_in_order_and_by_name()
    {
        var response = await Wire.SendAsync(_upstream, The.MessageRequest(text: "a b", stream: true));

        var events = Wire.Events(response);
        Assert.Equal(
            ["message_start", "content_block_start", "ping", "content_block_delta", "content_block_delta", "content_block_delta", "content_block_stop", "message_delta", "message_stop"],
            events.Select(one => one.Name));
        Assert.All(events, one => Assert.Equal(one.Name, Text(one.Data, "type")));
        Assert.Equal("Echo a b", Wire.Text(response));
        Assert.Equal((2, 1), Usage(events[0].Data.GetProperty("message")));
        Assert.Equal((2, 3), Usage(events[^2].Data));
        Assert.Equal("end_turn", Text(events[^2].Data.GetProperty("delta"), "stop_reason"));
    }

    [Fact]
    public async Task A_limit_of_tokens_ends_the_message()
    {
        var (_, message) = await AskAsync(The.MessageRequest(text: "a b c d", maxTokens: 2));

        Assert.Equal(("max_tokens", "Echo a"), (Text(message, "stop_reason"), Wire.Text(message)));
        Assert.Equal((4, 2), Usage(message));
    }

    [Fact]
    public async Task The_first_stop_sequence_ends_the_message_before_it()
    {
        var (_, message) = await AskAsync(The.MessageRequest(text: "a b STOP c END", change: request => request["stop_sequences"] = new JsonArray("END", "STOP")));

        Assert.Equal(("stop_sequence", "STOP", "Echo a b"), (Text(message, "stop_reason"), Text(message, "stop_sequence"), Wire.Text(message)));
    }

    [Theory]
    [InlineData("""{"type":"any"}""", "go on", "lookup")]
    [InlineData("""{"type":"tool","name":"other"}""", "go on", "other")]
    [InlineData("""{"type":"auto"}""", "please call the tool", "lookup")]
    [InlineData("""{"type":"auto"}""", "go on", null)]
    [InlineData("""{"type":"none"}""", "please call the tool", null)]
    public async Task A_tool_is_called_when_the_choice_and_the_words_ask_for_it(string choice, string text, string? tool)
    {
        var (_, message) = await AskAsync(The.MessageRequest(text: text, change: request => (request["tools"], request["tool_choice"]) = (Tools(), JsonNode.Parse(choice))));

        var block = Assert.Single(message.GetProperty("content").EnumerateArray());
        Assert.Equal(tool is null ? ("end_turn", "text") : ("tool_use", "tool_use"), (Text(message, "stop_reason"), Text(block, "type")));
        if (tool is not null)
        {
            Assert.Equal((tool, text), (Text(block, "name"), Text(block.GetProperty("input"), "text")));
        }
    }

    [Fact]
    public async Task A_result_of_a_tool_is_answered_with_text_and_its_words_count()
    {
        _upstream.Answer = ask => $"It said {ask.ToolResult}";

        var (_, message) = await AskAsync(The.MessageRequest(text: "please call the tool", change: request =>
        {
            request["tools"] = Tools();
            request["messages"]!.AsArray().Add(JsonNode.Parse("""{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"lookup","input":{"text":"x"}}]}"""));
            request["messages"]!.AsArray().Add(JsonNode.Parse("""{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":[{"type":"text","text":"four and a half"}]}]}"""));
        }));

        Assert.Equal("It said four and a half", Wire.Text(message));
        Assert.Equal((4 + 4, 6), Usage(message));
    }

    [Fact]
    public async Task One_conversation_counts_alike_in_both_dialects()
    {
        var chat = The.ChatRequest(text: "please call the tool", change: request =>
        {
            request["messages"]!.AsArray().Insert(0, JsonNode.Parse("""{"role":"system","content":"be brief"}"""));
            request["messages"]!.AsArray().Add(JsonNode.Parse("""{"role":"assistant","content":"I look.","tool_calls":[{"id":"t1","type":"function","function":{"name":"lookup","arguments":"{}"}}]}"""));
            request["messages"]!.AsArray().Add(JsonNode.Parse("""{"role":"tool","tool_call_id":"t1","content":"four and a half"}"""));
        });
        var message = The.MessageRequest(text: "please call the tool", change: request =>
        {
            request["system"] = "be brief";
            request["messages"]!.AsArray().Add(JsonNode.Parse("""{"role":"assistant","content":[{"type":"text","text":"I look."},{"type":"tool_use","id":"t1","name":"lookup","input":{}}]}"""));
            request["messages"]!.AsArray().Add(JsonNode.Parse("""{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"four and a half"}]}"""));
        });

        await RawHttp.SendAsync(_upstream.BaseUrl, RawHttp.Post("/v1/chat/completions", chat));
        await Wire.SendAsync(_upstream, message);

        var asks = _upstream.Requests.Select(request => (request.Ask.PromptTokens, request.Ask.LastUserText, request.Ask.ToolResult)).ToList();
        Assert.Equal((2 + 4 + 2 + 4, "please call the tool", "four and a half"), asks[0]);
        Assert.Equal(asks[0], asks[1]);
    }

    [Fact]
    public async Task Thoughts_come_first_and_are_a_part_of_the_output()
    {
        var request = The.MessageRequest(text: "a", maxTokens: 2000, stream: true, change: request => request["thinking"] = JsonNode.Parse("""{"type":"enabled","budget_tokens":1024}"""));

        var response = await Wire.SendAsync(_upstream, request);

        var events = Wire.Events(response);
        var deltas = events.Where(one => one.Name == "content_block_delta").Select(one => Text(one.Data.GetProperty("delta"), "type"));
        Assert.Equal(["thinking_delta", "thinking_delta", "thinking_delta", "signature_delta", "text_delta", "text_delta"], deltas);
        Assert.Equal((1, 5), Usage(events[^2].Data));
        Assert.Equal(3, events[^2].Data.GetProperty("usage").GetProperty("output_tokens_details").GetProperty("thinking_tokens").GetInt32());
    }

    [Fact]
    public async Task Tokens_are_counted_for_who_asks()
    {
        var response = await Wire.SendAsync(_upstream, """{"model":"m","system":"be brief","messages":[{"role":"user","content":"a b c"}]}"""u8.ToArray(), path: "/v1/messages/count_tokens");

        Assert.Equal("""{"input_tokens":5}""", response.Text);
    }

    [Fact]
    public async Task Scripts_of_both_dialects_play_in_the_one_that_is_spoken()
    {
        _upstream.Next(Scripts.Get("FinMidway"), Script.Stream("one", " two"));

        var cut = await Wire.SendAsync(_upstream, The.MessageRequest(stream: true));
        var whole = await Wire.SendAsync(_upstream, The.MessageRequest(stream: true));

        Assert.Equal((RawEnd.Truncated, "Echo one"), (cut.End, Wire.Text(cut)));
        Assert.Equal((RawEnd.Complete, "one two"), (whole.End, Wire.Text(whole)));
    }

    private static JsonArray Tools() => new(
        JsonNode.Parse("""{"name":"lookup","description":"Looks up","input_schema":{"type":"object","properties":{"text":{"type":"string"}}}}"""),
        JsonNode.Parse("""{"name":"other","input_schema":{"type":"object"}}"""));

    private async Task<(RawResponse Response, JsonElement Message)> AskAsync(byte[] body)
    {
        var response = await Wire.SendAsync(_upstream, body);
        Assert.True(response.Status == 200, response.Text);
        return (response, JsonDocument.Parse(response.Body).RootElement);
    }

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();

    private static (int Input, int Output) Usage(JsonElement element)
        => (element.GetProperty("usage").GetProperty("input_tokens").GetInt32(), element.GetProperty("usage").GetProperty("output_tokens").GetInt32());
}
