using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Upstream;
using TokenFactory.TestKit.Upstream.Anthropic;
using Xunit;

namespace TokenFactory.TestKit.Tests.Messages;

/// <summary>Each script of the Messages catalogue does on the wire what its name says; one without an expectation here fails.</summary>
public sealed class MessageScriptsTests : IAsyncLifetime
{
    private const string Whole = "Echo one two three four";
    private const string Half = "Echo one";
    private const string CacheUsage = "\"input_tokens\":10,\"cache_creation_input_tokens\":30,\"cache_read_input_tokens\":60,";

    private static readonly Dictionary<string, Func<ScriptsTests.Exchange, Task>> _byName = new()
    {
        ["MessageStream"] = Stream(),
        ["MessageSplitAtEveryByte"] = Stream(),
        ["MessageWithCrLf"] = Stream("event: ping\r\ndata: {\"type\": \"ping\"}\r\n\r\n"),
        ["MessageWithPings"] = Stream("event: ping\ndata: {\"type\": \"ping\"}\n\nevent: message_start"),
        ["MessageWithUnknownEvent"] = Stream("event: forecast\n"),
        ["MessageWithoutEventLines"] = async exchange => Assert.DoesNotContain("event:", (await exchange.ReadAsync()).Response.Text, StringComparison.Ordinal),
        ["MessageForeign"] = Foreign("東京! 🚀"),
        ["MessageForeignAndSplit"] = Foreign("東京! 🚀"),
        ["MessageEscaped"] = Foreign("\\u6771\\u4EAC! \\uD83D\\uDE80"),
        ["MessageThinking"] = Contains("Echo one", "\"thinking_delta\",\"thinking\":\"Let me\"", "\"signature_delta\"", "\"redacted_thinking\",\"data\"", "\"index\":2", "\"output_tokens\":5,\"output_tokens_details\":{\"thinking_tokens\":3}"),
        ["MessageTextThenTool"] = Contains("I look.", "\"tool_use\",\"id\":\"toolu_1_1\",\"name\":\"lookup\",\"input\":{},\"caller\"", "\"stop_reason\":\"tool_use\""),
        ["MessageTwoTools"] = TwoTools,
        ["MessageRefusal"] = Contains("I cannot", "\"stop_reason\":\"refusal\""),
        ["MessageToolCutByLimit"] = Contains("", "{\\\"text\\\": \\\"unfin", "\"stop_reason\":\"max_tokens\""),

        ["MessageWithCache"] = Usage(new(100, 7, 60, 2, 30), 2, CacheUsage),
        ["MessageWithoutUsage"] = Usage(null, 0, "usage"),
        ["MessageWithAbsurdUsage"] = Usage(new(long.MaxValue, long.MaxValue), 3, "9223372036854775807"),

        ["MessageWithoutStop"] = Ends(RawEnd.Complete, Whole, delta: true, stop: false),
        ["MessageWithoutDelta"] = Ends(RawEnd.Complete, Whole, delta: false, stop: true),
        ["MessageEndsMidway"] = Ends(RawEnd.Complete, Half, delta: false, stop: false),
        ["MessageEndsAfterHead"] = Ends(RawEnd.Complete, "", delta: false, stop: false),
        ["MessageFinMidway"] = Ends(RawEnd.Truncated, Half, delta: false, stop: false),
        ["MessageResetMidway"] = Ends(RawEnd.Reset, Half, delta: false, stop: false),
        ["MessageFinInsideEvent"] = Ends(RawEnd.Truncated, Half, delta: false, stop: false),
        ["MessageFinBeforeDelta"] = Ends(RawEnd.Truncated, Whole, delta: false, stop: false),
        ["MessageFinBeforeStop"] = Ends(RawEnd.Truncated, Whole, delta: true, stop: false),
        ["MessageStallsMidway"] = Stalls(2),
        ["MessageNeverEnding"] = Stalls(50),
        ["MessageErrorMidway"] = Contains(Half, "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"},\"request_id\":\"req_"),
        ["MessageErrorFirst"] = Contains("", "event: error\n"),
        ["MessageWholeInsteadOfStream"] = Answer(200, "{\"id\":\"msg_"),
        ["MessageGarbageEvent"] = Contains(Whole, "event: content_block_delta\ndata: {not json\n\n"),

        ["MessageAnswer"] = Answer(200, Whole, "\"stop_reason\":\"end_turn\"", "\"input_tokens\":4,", "\"output_tokens\":5,"),
        ["MessageAnswerWithCache"] = Answer(200, CacheUsage, "\"output_tokens\":7,\"output_tokens_details\":{\"thinking_tokens\":2}"),
        ["MessageAnswerWithoutUsage"] = async exchange => Assert.DoesNotContain("usage", (await exchange.ReadAsync()).Response.Text, StringComparison.Ordinal),
        ["MessageAnswerThinking"] = Answer(200, "\"thinking\":\"Let me see.\",\"signature\":\"Eq", "redacted_thinking", "Echo one"),
        ["MessageAnswerOfTwoTools"] = Answer(200, "\"input\":{\"text\":\"caf", "\"name\":\"now\",\"input\":{},"),
        ["MessageAnswerForeign"] = Answer(200, "東京! 🚀 \\\"quoted\\\""),
        ["MessageAnswerWithoutContent"] = Answer(200, "\"content\":[]"),
        ["MessageAnswerFinHalfway"] = async exchange => Assert.Equal(RawEnd.Truncated, (await exchange.ReadAsync()).Response.End),
        ["MessageAnswerOfGarbage"] = Answer(200, "\"te"),
        ["MessageBadRequest"] = Answer(400, "invalid_request_error"),
        ["MessageUnauthorized"] = Answer(401, "authentication_error"),
        ["MessageOutOfCredit"] = Answer(402, "billing_error"),
        ["MessageForbidden"] = Answer(403, "permission_error"),
        ["MessageUnknownModel"] = Answer(404, "not_found_error"),
        ["MessageTooLarge"] = Answer(413, "request_too_large"),
        ["MessageTooMany"] = async exchange => Assert.Equal("2", (await exchange.ReadAsync()).Response.Headers["retry-after"].ToString()),
        ["MessageServerError"] = Answer(500, "api_error"),
        ["MessageTimeout"] = Answer(504, "timeout_error"),
        ["MessageOverloaded"] = Answer(529, "overloaded_error"),
    };

    private FakeUpstream _upstream = null!;

    public static TheoryData<string> Names => [.. Scripts.MessageStreams.Concat(Scripts.MessageAnswers).Select(script => script.Name)];

    public async ValueTask InitializeAsync() => _upstream = await FakeUpstream.StartAsync();

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_script_does_what_its_name_says(string name)
    {
        var script = Scripts.Get(name);
        _upstream.Next(script);

        await _byName[name](new ScriptsTests.Exchange(_upstream, Wire.Post(The.MessageRequest(text: "one two three four", stream: Scripts.MessageStreams.Contains(script)))));
    }

    private static Func<ScriptsTests.Exchange, Task> Stream(params string[] contains) => async exchange =>
    {
        var (response, books) = await exchange.ReadAsync();
        Assert.Equal((200, RawEnd.Complete, Whole), (response.Status, response.End, Wire.Text(response)));
        Assert.Equal("message_stop", Wire.Events(response)[^1].Name);
        Assert.All(contains, text => Assert.Contains(text, response.Text, StringComparison.Ordinal));
        Assert.Equal((4, 5, new UpstreamUsage(4, 5)), (books.PromptTokens, books.CompletionTokens, books.StatedUsage));
        Assert.Equal(response.Body.Length, books.BytesSent);
    };

    private static Func<ScriptsTests.Exchange, Task> Contains(string text, params string[] contains) => async exchange =>
    {
        var (response, _) = await exchange.ReadAsync();
        Assert.Equal((200, RawEnd.Complete, text), (response.Status, response.End, Wire.Text(response)));
        Assert.All(contains, part => Assert.Contains(part, response.Text, StringComparison.Ordinal));
    };

    private static Func<ScriptsTests.Exchange, Task> Foreign(string onTheWire) => Contains(MessageStreamScripts.Foreign, onTheWire);

    private static async Task TwoTools(ScriptsTests.Exchange exchange)
    {
        var (response, _) = await exchange.ReadAsync();
        Assert.Equal("{\"text\": \"caf\\u00e9 \\\"x\\\"\"}", string.Concat(Wire.Deltas(response, "input_json_delta", "partial_json")));
        Assert.Equal(["lookup", "now"], Wire.Events(response).Where(one => one.Name == "content_block_start").Select(one => one.Data.GetProperty("content_block").GetProperty("name").GetString()));
    }

    private static Func<ScriptsTests.Exchange, Task> Usage(UpstreamUsage? stated, int times, string text) => async exchange =>
    {
        var (response, books) = await exchange.ReadAsync();
        Assert.Equal(stated, books.StatedUsage);
        Assert.Equal(times, response.Text.Split(text).Length - 1);
    };

    private static Func<ScriptsTests.Exchange, Task> Ends(RawEnd end, string text, bool delta, bool stop) => async exchange =>
    {
        var (response, books) = await exchange.ReadAsync();
        Assert.Equal((200, end, text), (response.Status, response.End, Wire.Text(response)));
        Assert.Equal((delta, stop), (response.Text.Contains("event: message_delta", StringComparison.Ordinal), response.Text.Contains("event: message_stop", StringComparison.Ordinal)));
        Assert.True(books.Finished && !books.ClientAborted);
    };

    private static Func<ScriptsTests.Exchange, Task> Stalls(int words) => async exchange =>
    {
        var (text, books) = await exchange.ReadSomeAsync(words);
        Assert.StartsWith("HTTP/1.1 200", text, StringComparison.Ordinal);
        Assert.True(books.ClientAborted && books.CompletionTokens >= words);
    };

    private static Func<ScriptsTests.Exchange, Task> Answer(int status, params string[] contains) => async exchange =>
    {
        var (response, _) = await exchange.ReadAsync();
        Assert.Equal((status, RawEnd.Complete), (response.Status, response.End));
        Assert.All(contains, text => Assert.Contains(text, response.Text, StringComparison.Ordinal));
    };
}
