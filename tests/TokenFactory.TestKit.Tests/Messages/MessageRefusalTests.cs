using System.Text.Json;
using System.Text.Json.Nodes;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.TestKit.Tests.Messages;

/// <summary>What Anthropic refuses, the upstream refuses: a converter cannot get by with less than the real thing takes.</summary>
public sealed class MessageRefusalTests : IAsyncLifetime
{
    private const string Call = """{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"lookup","input":{}}]}""";
    private FakeUpstream _upstream = null!;

    public async ValueTask InitializeAsync() => _upstream = await FakeUpstream.StartAsync();

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    [Theory]
    [InlineData("max_tokens", null, "max_tokens: Field required")]
    [InlineData("max_tokens", "null", "max_tokens: Input should be a valid integer")]
    [InlineData("model", null, "model: Field required")]
    [InlineData("messages", null, "messages: Field required")]
    [InlineData("messages", "[]", "at least one message is required")]
    [InlineData("stream_options", "{}", "stream_options: Extra inputs are not permitted")]
    [InlineData("n", "1", "n: Extra inputs are not permitted")]
    [InlineData("stop", "\"x\"", "stop: Extra inputs are not permitted")]
    [InlineData("temperature", "1.5", "temperature: range: 0..1")]
    [InlineData("temperature", "null", "temperature: Input should be a valid number")]
    [InlineData("top_p", "-1", "top_p: range: 0..1")]
    [InlineData("stream", "\"yes\"", "stream: Input should be a valid boolean")]
    [InlineData("stop_sequences", "\"x\"", "stop_sequences: Input should be a valid list")]
    [InlineData("stop_sequences", "[\" \"]", "must contain non-whitespace")]
    [InlineData("metadata", """{"user":"x"}""", "metadata.user: Extra inputs are not permitted")]
    [InlineData("system", "null", "system: Input should be a valid list")]
    [InlineData("system", """[{"type":"text","text":""}]""", "text content blocks must be non-empty")]
    [InlineData("tools", """[{"type":"function","function":{"name":"f"}}]""", "tools.0: Input tag 'function'")]
    [InlineData("tools", """[{"name":"f","parameters":{"type":"object"}}]""", "tools.0.custom.parameters: Extra inputs are not permitted")]
    [InlineData("tools", """[{"name":"f"}]""", "tools.0.custom.input_schema: Field required")]
    [InlineData("tools", """[{"name":"f","input_schema":{}}]""", "tools.0.custom.input_schema.type: Field required")]
    [InlineData("tools", """[{"name":"f.g","input_schema":{"type":"object"}}]""", "String should match pattern")]
    [InlineData("tools", """[{"name":"f","input_schema":{"type":"object"}},{"name":"f","input_schema":{"type":"object"}}]""", "Tool names must be unique")]
    [InlineData("tool_choice", "\"auto\"", "tool_choice: Input tag")]
    [InlineData("tool_choice", """{"type":"required"}""", "does not match any of the expected tags")]
    [InlineData("tool_choice", """{"type":"auto"}""", "may only be specified while providing tools")]
    [InlineData("thinking", """{"type":"enabled","budget_tokens":100}""", "greater than or equal to 1024")]
    [InlineData("thinking", """{"type":"enabled","budget_tokens":1024}""", "must be greater than `thinking.budget_tokens`")]
    public async Task A_wrong_member_is_named(string member, string? value, string fault)
    {
        var response = await Wire.SendAsync(_upstream, The.MessageRequest(change: request =>
        {
            request.Remove(member);
            if (value is not null)
            {
                request[member] = JsonNode.Parse(value);
            }
        }));

        Refuses(response, 400, "invalid_request_error", fault);
    }

    [Theory]
    [InlineData("""{"role":"system","content":"x"}""", "Unexpected role \\u0022system\\u0022")]
    [InlineData("""{"role":"tool","content":"x"}""", "messages.1.role: Input should be 'user' or 'assistant'")]
    [InlineData("""{"role":"user"}""", "messages.1.content: Field required")]
    [InlineData("""{"role":"user","content":null}""", "messages.1.content: Input should be a valid list")]
    [InlineData("""{"role":"user","content":""}""", "all messages must have non-empty content")]
    [InlineData("""{"role":"user","content":[]}""", "all messages must have non-empty content")]
    [InlineData("""{"role":"user","content":"x","name":"y"}""", "messages.1.name: Extra inputs are not permitted")]
    [InlineData("""{"role":"user","content":[{"type":"text","text":""}]}""", "text content blocks must be non-empty")]
    [InlineData("""{"role":"user","content":[{"text":"x"}]}""", "messages.1.content.0.type: Field required")]
    [InlineData("""{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}""", "Input tag 'image_url'")]
    [InlineData("""{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/bmp","data":"eA=="}}]}""", "source.base64.media_type")]
    [InlineData("""{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"data:x"}}]}""", "invalid base64")]
    [InlineData("""{"role":"user","content":[{"type":"text","text":"x","index":0}]}""", "messages.1.content.0.text.index: Extra inputs are not permitted")]
    [InlineData("""{"role":"user","content":[{"type":"tool_use","id":"t","name":"f","input":{}}]}""", "Input tag 'tool_use'")]
    [InlineData("""{"role":"assistant","content":[{"type":"thinking","thinking":"x"}]}""", "thinking.signature: Field required")]
    [InlineData("""{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":"{}"}]}""", "tool_use.input: Input should be an object")]
    [InlineData("""{"role":"assistant","content":[{"type":"tool_use","id":"t:1","name":"f","input":{}}]}""", "tool_use.id: String should match pattern")]
    [InlineData("""{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{}}]}""", "without `tool_result` blocks immediately after: t.")]
    [InlineData("""{"role":"assistant","content":"x "}""", "cannot end with trailing whitespace")]
    [InlineData("""{"role":"user","content":[{"type":"tool_result","tool_use_id":"t9","content":"x"}]}""", "unexpected `tool_use_id` found in `tool_result` blocks: t9")]
    public async Task A_wrong_turn_is_named(string turn, string fault)
    {
        var response = await Wire.SendAsync(_upstream, The.MessageRequest(change: request => request["messages"]!.AsArray().Add(JsonNode.Parse(turn))));

        Refuses(response, 400, "invalid_request_error", fault);
    }

    [Theory]
    [InlineData("""{"role":"user","content":"so?"}""", "without `tool_result` blocks immediately after: t1")]
    [InlineData("""{"role":"user","content":[{"type":"text","text":"so?"},{"type":"tool_result","tool_use_id":"t1"}]}""", "without `tool_result` blocks immediately after: t1")]
    [InlineData("""{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1"},{"type":"tool_result","tool_use_id":"t1"}]}""", "must have a single result")]
    [InlineData("""{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1"},{"type":"tool_result","tool_use_id":"t2"}]}""", "unexpected `tool_use_id`")]
    [InlineData("""{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":{}}]}""", "tool_result.content: Input should be a valid list")]
    [InlineData("""{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1"},{"type":"text","text":"so?"}]}""", null)]
    public async Task A_call_is_answered_by_the_next_message_first_thing(string turn, string? fault)
    {
        var response = await Wire.SendAsync(_upstream, The.MessageRequest(change: request =>
        {
            request["messages"]!.AsArray().Add(JsonNode.Parse(Call));
            request["messages"]!.AsArray().Add(JsonNode.Parse(turn));
        }));

        if (fault is not null)
        {
            Refuses(response, 400, "invalid_request_error", fault);
        }
        else
        {
            Assert.Equal(200, response.Status);
        }
    }

    [Fact]
    public async Task Everything_the_service_takes_is_taken()
    {
        var response = await Wire.SendAsync(_upstream, """
            {"model":"m","max_tokens":10,"stream":false,"temperature":1,"top_p":0.5,"top_k":5,"stop_sequences":["x!"],"metadata":{"user_id":"u"},"service_tier":"auto",
             "system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],"tool_choice":{"type":"auto","disable_parallel_tool_use":true},
             "tools":[{"type":"custom","name":"f","description":"d","strict":true,"input_schema":{"type":"object"}},{"type":"web_search_20250305","name":"web_search","max_uses":1}],
             "messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"eA=="}},{"type":"image","source":{"type":"url","url":"https://x"}}]},
              {"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s"},{"type":"text","text":"a"},{"type":"tool_use","id":"t1","name":"f","input":{}},{"type":"tool_use","id":"t2","name":"f","input":{}}]},
              {"role":"user","content":[{"type":"tool_result","tool_use_id":"t2","is_error":true,"content":"no"},{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"yes"}]},{"type":"text","text":"so?"}]},
              {"role":"user","content":"and?"},{"role":"assistant","content":"The answer:"}]}
            """u8.ToArray());

        Assert.True(response.Status == 200, response.Text);
    }

    [Fact]
    public async Task The_version_and_valid_JSON_are_required()
    {
        var unversioned = await RawHttp.SendAsync(_upstream.BaseUrl, RawHttp.Post("/v1/messages", The.MessageRequest()));
        var broken = await Wire.SendAsync(_upstream, "{"u8.ToArray());

        Refuses(unversioned, 400, "invalid_request_error", "anthropic-version: header is required");
        Refuses(broken, 400, "invalid_request_error", "not valid JSON");
    }

    [Fact]
    public async Task A_key_is_required_when_set_in_either_header_and_stands_in_the_books()
    {
        _upstream.RequiredKey = "right";

        var none = await Wire.SendAsync(_upstream, The.MessageRequest());
        var wrong = await Wire.SendAsync(_upstream, The.MessageRequest(), headers: "x-api-key: wrong");
        var right = await Wire.SendAsync(_upstream, The.MessageRequest(), headers: "x-api-key: right");
        var bearer = await Wire.SendAsync(_upstream, The.MessageRequest(), headers: "authorization: Bearer right");

        Refuses(none, 401, "authentication_error", "x-api-key header is required");
        Refuses(wrong, 401, "authentication_error", "invalid x-api-key");
        Assert.Equal((200, 200), (right.Status, bearer.Status));
        Assert.Equal([null, "wrong", "right", "right"], _upstream.Requests.Select(request => request.Key));
    }

    [Fact]
    public async Task An_unlisted_model_is_unknown_and_the_listed_ones_have_the_shape_of_the_dialect()
    {
        (_upstream.Models, _upstream.KnowsListedModelsOnly) = (["one", "two"], true);
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Add("anthropic-version", "2023-06-01");

        var unknown = await Wire.SendAsync(_upstream, The.MessageRequest(model: "other"));
        using var list = JsonDocument.Parse(await client.GetStringAsync(new Uri(_upstream.BaseUrl + "/models")));

        Refuses(unknown, 404, "not_found_error", "model: other");
        Assert.Equal(["one", "two"], list.RootElement.GetProperty("data").EnumerateArray().Select(model => model.GetProperty("id").GetString()));
        Assert.Equal("model", list.RootElement.GetProperty("data")[0].GetProperty("type").GetString());
    }

    private static void Refuses(RawResponse response, int status, string type, string message)
    {
        Assert.True(response.Status == status, $"{response.Status} instead of {status}: {response.Text}");
        using var body = JsonDocument.Parse(response.Body);
        Assert.Equal(("error", type), (body.RootElement.GetProperty("type").GetString(), body.RootElement.GetProperty("error").GetProperty("type").GetString()));
        Assert.Contains(message, response.Text.Replace("\\u0060", "`", StringComparison.Ordinal).Replace("\\u0027", "'", StringComparison.Ordinal).Replace("\\\"", "\\u0022", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal(response.Headers["request-id"].ToString(), body.RootElement.GetProperty("request_id").GetString());
    }
}
