using System.Buffers.Binary;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using TokenFactory.Inference.Dispatch.Loopback;
using TokenFactory.Inference.Tests.Limits;
using Xunit;

namespace TokenFactory.Inference.Tests.Dispatch;

public sealed class LoopbackHandlerTests : IDisposable
{
    private const string Chat = "/v1/chat/completions";
    private const string Hello = """[{"role":"system","content":"be kind"},{"role":"user","content":"say this back"}]""";

    // One token per word here: easy to count by eye.
    private readonly HttpMessageInvoker _loopback = new(new LoopbackHandler(CountWords, new ManualClock(), bodyLimitBytes: 64 * 1024));

    public void Dispose() => _loopback.Dispose();

    [Fact]
    public async Task Says_the_last_user_message_back_in_the_dialect_of_OpenAI()
    {
        var (status, body) = await Post(Chat, $$"""{"model":"any-name","messages":{{Hello}}}""");

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.StartsWith("chatcmpl-", (string?)body["id"], StringComparison.Ordinal);
        body.AsObject().Remove("id");
        Assert.Equal(
            """
            {"object":"chat.completion","created":1795176000,"model":"any-name","system_fingerprint":"fp_loopback",
             "choices":[{"index":0,"message":{"role":"assistant","content":"say this back","refusal":null},"logprobs":null,"finish_reason":"stop"}],
             "usage":{"prompt_tokens":16,"completion_tokens":3,"total_tokens":19,
              "prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}
            """.ReplaceLineEndings("").Replace(" \"choices", "\"choices").Replace(" \"usage", "\"usage").Replace("  \"prompt_tokens_d", "\"prompt_tokens_d"),
            body.ToJsonString());
    }

    [Theory]
    [InlineData("""[{"role":"user","content":[{"type":"text","text":"two "},{"type":"image_url","image_url":{"url":"x"}},{"type":"text","text":"parts"}]}]""", "two parts")]
    [InlineData("""[{"role":"user","content":"first"},{"role":"assistant","content":null,"tool_calls":[]},{"role":"tool","content":"7"}]""", "first")]
    [InlineData("""[{"role":"system","content":"only this"}]""", "only this")]
    [InlineData("""[{"role":"user","content":"grüße 👋🏽 \"quoted\"\n<b>"}]""", "grüße 👋🏽 \"quoted\"\n<b>")]
    [InlineData("""[{"role":"user","content":""}]""", "")]
    public async Task Reads_content_in_every_form(string messages, string said)
    {
        var (_, whole) = await Post(Chat, $$"""{"model":"m","messages":{{messages}}}""");
        var streamed = await Stream($$"""{"model":"m","stream":true,"messages":{{messages}}}""");

        Assert.Equal(said, (string?)whole["choices"]![0]!["message"]!["content"]);
        Assert.Equal(said, string.Concat(streamed.Select(chunk => (string?)chunk["choices"]![0]!["delta"]!["content"])));
    }

    [Theory]
    [InlineData("\"say this back\"", "say this back", 9)]
    [InlineData("""[{"role":"user","content":[{"type":"input_text","text":"say "},{"type":"input_text","text":"this"}]},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"seven"}]""", "say this", 16)]
    public async Task A_response_says_the_last_user_message_back_whatever_items_follow_it(string input, string said, int tokens)
    {
        var (status, body) = await Post("/v1/responses", $$"""{"model":"any-name","input":{{input}}}""");

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal((said, "completed", tokens), ((string?)body["output"]![0]!["content"]![0]!["text"], (string?)body["status"], (int)body["usage"]!["input_tokens"]!));
    }

    [Fact]
    public async Task A_response_that_is_cut_is_incomplete_and_a_function_that_is_insisted_on_is_called()
    {
        var (_, cut) = await Post("/v1/responses", """{"model":"m","input":"one two three","max_output_tokens":2}""");
        var (_, called) = await Post("/v1/responses", """{"model":"m","input":"x","tool_choice":{"type":"function","name":"f"},"tools":[{"type":"function","name":"f"}]}""");
        var (refused, _) = await Post("/v1/responses", """{"model":"m","input":"x","tool_choice":"required"}""");

        Assert.Equal(("incomplete", "max_output_tokens", "one two"), ((string?)cut["status"], (string?)cut["incomplete_details"]!["reason"], (string?)cut["output"]![0]!["content"]![0]!["text"]));
        Assert.Equal(("function_call", "f", "{}"), ((string?)called["output"]![0]!["type"], (string?)called["output"]![0]!["name"], (string?)called["output"]![0]!["arguments"]));
        Assert.Equal(HttpStatusCode.BadRequest, refused);
    }

    [Fact]
    public async Task A_text_is_flagged_for_the_categories_it_names_and_for_nothing_else()
    {
        var (_, body) = await Post("/v1/moderations", """{"model":"m","input":["Violence, and hate!","violently hateful"]}""");

        var flagged = body["results"]![0]!["categories"]!.AsObject().Where(one => (bool)one.Value!).Select(one => one.Key);
        Assert.Equal(["hate", "violence"], flagged.Order());
        Assert.Equal([true, false], body["results"]!.AsArray().Select(one => (bool)one!["flagged"]!));
    }

    [Fact]
    public async Task Streams_word_by_word_each_event_a_read_of_its_own()
    {
        using var response = await Send(HttpMethod.Post, Chat, $$"""{"model":"m","stream":true,"messages":{{Hello}}}""");
        await using var stream = await response.Content.ReadAsStreamAsync();
        var reads = new List<string>();
        var buffer = new byte[4096];
        for (int read; (read = await stream.ReadAsync(buffer)) > 0;)
        {
            reads.Add(Encoding.UTF8.GetString(buffer, 0, read));
        }

        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal(6, reads.Count);
        Assert.All(reads, read => Assert.Matches(@"\Adata: [^\n]+\n\n\z", read));
        Assert.Contains("""{"role":"assistant","content":""}""", reads[0], StringComparison.Ordinal);
        Assert.Contains("""{"content":" this"}""", reads[2], StringComparison.Ordinal);
        Assert.Contains("""{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}""", reads[4], StringComparison.Ordinal);
        Assert.Equal("data: [DONE]\n\n", reads[5]);
        Assert.DoesNotContain(reads, read => read.Contains("usage", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_buffer_smaller_than_an_event_loses_nothing()
    {
        using var response = await Send(HttpMethod.Post, Chat, $$"""{"model":"m","stream":true,"messages":{{Hello}}}""");
        await using var stream = await response.Content.ReadAsStreamAsync();
        var all = new List<byte>();
        var buffer = new byte[7];
        for (int read; (read = await stream.ReadAsync(buffer)) > 0;)
        {
            all.AddRange(buffer[..read]);
        }

        Assert.Equal(6, Events(Encoding.UTF8.GetString([.. all])).Count());
    }

    [Fact]
    public async Task P3_Usage_comes_in_a_last_chunk_without_choices_and_only_when_asked_for()
    {
        var chunks = await Stream($$"""{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":{{Hello}}}""");

        Assert.All(chunks[..^1], chunk => Assert.True(chunk.AsObject().TryGetPropertyValue("usage", out var usage) && usage is null));
        Assert.Empty(chunks[^1]["choices"]!.AsArray());
        Assert.Equal(16, (int?)chunks[^1]["usage"]!["prompt_tokens"]);
        Assert.Equal(3, (int?)chunks[^1]["usage"]!["completion_tokens"]);
        Assert.Single(chunks.Select(chunk => (string?)chunk["id"]).Distinct());
    }

    [Fact]
    public async Task Choices_take_turns_and_their_tokens_add_up()
    {
        var chunks = await Stream($$"""{"model":"m","n":3,"stream":true,"stream_options":{"include_usage":true},"messages":{{Hello}}}""");

        var turns = chunks[..^1].Select(chunk => (int)chunk["choices"]![0]!["index"]!);
        Assert.Equal([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2], turns);
        Assert.Equal(9, (int?)chunks[^1]["usage"]!["completion_tokens"]);
    }

    [Theory]
    [InlineData("\"max_tokens\":2", "say this", "length", 2)]
    [InlineData("\"max_completion_tokens\":1,\"max_tokens\":3", "say", "length", 1)]
    [InlineData("\"max_tokens\":3", "say this back", "stop", 3)]
    [InlineData("\"stop\":\" back\"", "say this", "stop", 2)]
    [InlineData("\"stop\":[\"zzz\",\"th\"]", "say ", "stop", 1)]
    [InlineData("\"stop\":null,\"n\":null,\"stream\":null,\"max_tokens\":null", "say this back", "stop", 3)]
    public async Task Ends_where_it_was_told_to(string option, string said, string reason, int tokens)
    {
        var (_, body) = await Post(Chat, $$"""{"model":"m",{{option}},"messages":{{Hello}}}""");

        Assert.Equal(said, (string?)body["choices"]![0]!["message"]!["content"]);
        Assert.Equal(reason, (string?)body["choices"]![0]!["finish_reason"]);
        Assert.Equal(tokens, (int?)body["usage"]!["completion_tokens"]);
    }

    [Fact]
    public async Task A_word_longer_than_its_allowance_is_cut_between_whole_characters()
    {
        using var bytes = new HttpMessageInvoker(new LoopbackHandler(utf8 => utf8.Length, new ManualClock()));
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://loopback" + Chat)
        {
            Content = new StringContent("""{"model":"m","max_tokens":6,"messages":[{"role":"user","content":"a👋👋👋"}]}"""),
        };

        using var response = await bytes.SendAsync(request, default);

        var body = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.Equal("a👋", (string?)body["choices"]![0]!["message"]!["content"]);
        Assert.Equal("length", (string?)body["choices"]![0]!["finish_reason"]);
    }

    [Theory]
    [InlineData("\"required\"", "first")]
    [InlineData("""{"type":"function","function":{"name":"second"}}""", "second")]
    public async Task A_tool_that_is_insisted_on_is_called_once_without_arguments(string choice, string name)
    {
        const string Tools = """[{"type":"function","function":{"name":"first"}},{"type":"function","function":{"name":"second"}}]""";
        var ask = $$"""{"model":"m","tools":{{Tools}},"tool_choice":{{choice}},"messages":{{Hello}}""";
        var (_, whole) = await Post(Chat, ask + "}");
        var chunks = await Stream(ask + ",\"stream\":true}");

        var call = Assert.Single(whole["choices"]![0]!["message"]!["tool_calls"]!.AsArray())!;
        Assert.Equal((name, "{}"), ((string?)call["function"]!["name"], (string?)call["function"]!["arguments"]));
        Assert.Null(whole["choices"]![0]!["message"]!["content"]);
        Assert.Equal("tool_calls", (string?)whole["choices"]![0]!["finish_reason"]);
        var deltas = chunks.Select(chunk => chunk["choices"]![0]!["delta"]!["tool_calls"]?[0]).ToList();
        Assert.Equal([name, null, null], deltas.Select(delta => (string?)delta?["function"]!["name"]));
        Assert.Equal("{}", string.Concat(deltas.Select(delta => (string?)delta?["function"]!["arguments"])));
        Assert.Equal(0, (int?)deltas[1]!["index"]);
        Assert.Equal("tool_calls", (string?)chunks[^1]["choices"]![0]!["finish_reason"]);
    }

    [Fact]
    public async Task Legacy_completions_echo_each_prompt_in_order()
    {
        var (_, body) = await Post("/v1/completions", """{"model":"m","n":2,"prompt":["one two","three"]}""");

        Assert.Equal("text_completion", (string?)body["object"]);
        Assert.Equal(["one two", "one two", "three", "three"], body["choices"]!.AsArray().Select(choice => (string?)choice!["text"]));
        Assert.Equal([0, 1, 2, 3], body["choices"]!.AsArray().Select(choice => (int)choice!["index"]!));
        Assert.Equal((3, 6), ((int)body["usage"]!["prompt_tokens"]!, (int)body["usage"]!["completion_tokens"]!));

        var chunks = await Stream("""{"model":"m","stream":true,"prompt":"one two"}""", "/v1/completions");
        Assert.Equal(["one", " two", ""], chunks.Select(chunk => (string?)chunk["choices"]![0]!["text"]));
        Assert.Equal("stop", (string?)chunks[^1]["choices"]![0]!["finish_reason"]);
    }

    [Fact]
    public async Task Embeddings_are_unit_vectors_that_depend_on_the_text_alone()
    {
        var (_, body) = await Post("/v1/embeddings", """{"model":"m","input":["a b","c","a b"]}""");

        var vectors = body["data"]!.AsArray().Select(item => item!["embedding"]!.AsArray().Select(value => (float)value!).ToArray()).ToArray();
        Assert.All(vectors, vector => Assert.Equal(256, vector.Length));
        Assert.All(vectors, vector => Assert.Equal(1, vector.Sum(value => (double)value * value), 5));
        Assert.Equal(vectors[0], vectors[2]);
        Assert.NotEqual(vectors[0], vectors[1]);
        Assert.InRange(vectors[0].Zip(vectors[1], (a, b) => a * b).Sum(), -0.5, 0.5);
        Assert.Equal((5, 5), ((int)body["usage"]!["prompt_tokens"]!, (int)body["usage"]!["total_tokens"]!));
    }

    [Theory]
    [InlineData("\"a b\"", 1, 2)]
    [InlineData("[1,2,3]", 1, 3)]
    [InlineData("[[1,2],[3]]", 2, 3)]
    public async Task Embeddings_come_as_little_endian_floats_in_base64_too(string input, int count, int tokens)
    {
        var (_, floats) = await Post("/v1/embeddings", $$"""{"model":"m","input":{{input}},"dimensions":8}""");
        var (_, base64) = await Post("/v1/embeddings", $$"""{"model":"m","input":{{input}},"dimensions":8,"encoding_format":"base64"}""");

        Assert.Equal(count, base64["data"]!.AsArray().Count);
        var bytes = Convert.FromBase64String((string)base64["data"]![0]!["embedding"]!);
        var decoded = Enumerable.Range(0, 8).Select(i => BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(i * 4)));
        Assert.Equal(floats["data"]![0]!["embedding"]!.AsArray().Select(value => (float)value!), decoded);
        Assert.Equal(tokens, (int)base64["usage"]!["prompt_tokens"]!);
    }

    [Fact]
    public async Task Lists_itself_as_the_only_model()
    {
        using var response = await Send(HttpMethod.Get, "/v1/models", null);

        var body = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.Equal("loopback", (string?)Assert.Single(body["data"]!.AsArray())!["id"]);
    }

    [Theory]
    [InlineData(Chat, "{", null)]
    [InlineData(Chat, "[]", null)]
    [InlineData(Chat, "", null)]
    [InlineData(Chat, """{"messages":[{"role":"user","content":"x"}]}""", "model")]
    [InlineData(Chat, """{"model":"m"}""", "messages")]
    [InlineData(Chat, """{"model":"m","messages":[]}""", "messages")]
    [InlineData(Chat, """{"model":"m","messages":["x"]}""", "messages")]
    [InlineData(Chat, """{"model":"m","messages":[{"role":"user","content":7}]}""", "messages")]
    [InlineData(Chat, """{"model":"m","messages":[{"role":"user","content":"\ud800"}]}""", "messages")]
    [InlineData(Chat, """{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":0}""", "max_tokens")]
    [InlineData(Chat, """{"model":"m","messages":[{"role":"user","content":"x"}],"n":1.5}""", "n")]
    [InlineData(Chat, """{"model":"m","messages":[{"role":"user","content":"x"}],"n":1000}""", "n")]
    [InlineData(Chat, """{"model":"m","messages":[{"role":"user","content":"x"}],"stream":"yes"}""", "stream")]
    [InlineData(Chat, """{"model":"m","messages":[{"role":"user","content":"x"}],"stop":[1]}""", "stop")]
    [InlineData(Chat, """{"model":"m","messages":[{"role":"user","content":"x"}],"stream_options":{"include_usage":true}}""", "stream_options")]
    [InlineData(Chat, """{"model":"m","messages":[{"role":"user","content":"x"}],"tool_choice":"required"}""", "tool_choice")]
    [InlineData(Chat, """{"model":"m","messages":[{"role":"user","content":"x"}],"tool_choice":{"function":{"name":"none"}}}""", "tool_choice")]
    [InlineData("/v1/completions", """{"model":"m"}""", "prompt")]
    [InlineData("/v1/embeddings", """{"model":"m"}""", "input")]
    [InlineData("/v1/embeddings", """{"model":"m","input":""}""", "input")]
    [InlineData("/v1/embeddings", """{"model":"m","input":[]}""", "input")]
    [InlineData("/v1/embeddings", """{"model":"m","input":[1,"x"]}""", "input")]
    [InlineData("/v1/embeddings", """{"model":"m","input":"x","dimensions":0}""", "dimensions")]
    [InlineData("/v1/embeddings", """{"model":"m","input":"x","encoding_format":"hex"}""", "encoding_format")]
    public async Task What_is_malformed_is_refused_with_400_naming_the_parameter(string path, string ask, string? param)
    {
        var (status, body) = await Post(path, ask);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal("invalid_request_error", (string?)body["error"]!["type"]);
        Assert.Equal(param, (string?)body["error"]!["param"]);
        Assert.NotEmpty((string)body["error"]!["message"]!);
    }

    [Fact]
    public async Task P10_A_body_past_the_bound_is_413_and_an_unknown_path_404()
    {
        var (large, _) = await Post(Chat, new string(' ', 64 * 1024 + 1));
        var (unknown, body) = await Post("/v1/audio/speech", "{}");

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large);
        Assert.Equal(HttpStatusCode.NotFound, unknown);
        Assert.Equal("unknown_url", (string?)body["error"]!["code"]);
    }

    [Fact]
    public async Task P10_A_reader_that_stops_stops_the_stream_and_an_answer_is_never_endless()
    {
        var words = string.Join(' ', Enumerable.Repeat("w", 20_000));
        using var response = await Send(HttpMethod.Post, Chat, $$"""{"model":"m","stream":true,"messages":[{"role":"user","content":"{{words}}"}]}""");
        await using var stream = await response.Content.ReadAsStreamAsync();
        using var cut = new CancellationTokenSource();
        await stream.ReadExactlyAsync(new byte[100], cut.Token);
        await cut.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await stream.ReadExactlyAsync(new byte[100], cut.Token));

        var (_, whole) = await Post(Chat, $$"""{"model":"m","messages":[{"role":"user","content":"{{words}}"}]}""");
        Assert.Equal("length", (string?)whole["choices"]![0]!["finish_reason"]);
        Assert.Equal(16_384, (int)whole["usage"]!["completion_tokens"]!);
    }

    [Fact]
    public async Task A_body_that_can_only_be_written_to_a_stream_is_read_all_the_same()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://loopback" + Chat) { Content = new WriteOnlyContent($$"""{"model":"m","messages":{{Hello}}}""") };

        using var response = await _loopback.SendAsync(request, default);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    private static int CountWords(ReadOnlySpan<byte> utf8) =>
        Encoding.UTF8.GetString(utf8).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length;

    private async Task<HttpResponseMessage> Send(HttpMethod method, string path, string? body)
    {
        using var request = new HttpRequestMessage(method, "http://loopback" + path);
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        return await _loopback.SendAsync(request, default);
    }

    private async Task<(HttpStatusCode Status, JsonNode Body)> Post(string path, string body)
    {
        using var response = await Send(HttpMethod.Post, path, body);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }

    private async Task<List<JsonNode>> Stream(string body, string path = Chat)
    {
        using var response = await Send(HttpMethod.Post, path, body);
        var events = Events(await response.Content.ReadAsStringAsync()).ToList();
        Assert.Equal("[DONE]", events[^1]);
        return [.. events[..^1].Select(text => JsonNode.Parse(text)!)];
    }

    private static IEnumerable<string> Events(string stream) =>
        stream.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(text => text["data: ".Length..]);

    /// <summary>As a forwarder's request content is: it can be copied out once, and not opened for reading.</summary>
    private sealed class WriteOnlyContent(string text) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            stream.WriteAsync(Encoding.UTF8.GetBytes(text)).AsTask();

        protected override Task<Stream> CreateContentReadStreamAsync() => throw new NotSupportedException();

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
