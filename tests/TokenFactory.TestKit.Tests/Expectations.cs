using System.Text.Json;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.TestKit.Tests;

/// <summary>What each script of the catalogue must look like to who reads its bytes.</summary>
internal static class Expectations
{
    private const string Half = "Echo one";

    private static readonly Dictionary<string, Func<ScriptsTests.Exchange, Task>> _byName = new()
    {
        ["Faithful"] = Stream(),
        ["SplitAtEveryByte"] = Stream(),
        ["CrLfLineEnds"] = Stream("\r\n\r\ndata: "),
        ["CrLineEnds"] = Stream("\r\rdata: "),
        ["NoSpaceAfterColon"] = Stream("\n\ndata:{"),
        ["EventAndIdLines"] = Stream("event: message\nid: 7\nretry: 1000\ndata: "),
        ["KeepAliveComments"] = Stream("\n\n: keep-alive\n\ndata: "),
        ["CommentsInsideEvents"] = Stream(": still here\ndata: "),
        ["ByteOrderMarkFirst"] = Stream("\uFEFFdata: "),
        ["PromptFilterResultsFirst"] = Stream("prompt_filter_results"),
        ["EmptyChoicesMidway"] = Stream("prompt_filter_results"),
        ["UnknownFieldsMidway"] = Stream("obfuscation"),
        ["FinishReasonOfTgi"] = Stream("\"finish_reason\":\"eos_token\""),
        ["TenMegabyteFrame"] = async exchange => Assert.True((await exchange.ReadAsync()).Response.Events[2].Length > 10 << 20),
        ["SlowFirstByte"] = Stream(),

        ["NoUsage"] = Usage(null, "\"finish_reason\""),
        ["UsageUnasked"] = Usage(new(4, 5)),
        ["UsageOnEveryChunk"] = Usage(new(4, 5), "\"completion_tokens\":1,", "\"completion_tokens\":2,"),
        ["ZeroUsageOnEveryChunk"] = Usage(new(0, 0), "\"total_tokens\":0"),
        ["UsageTwice"] = Usage(new(4, 5)),
        ["UsageTwiceAndFirstIsLower"] = Usage(new(4, 5), "\"choices\":[],\"usage\":{\"prompt_tokens\":4,\"completion_tokens\":1,"),
        ["UsageZero"] = Usage(new(0, 0), "\"total_tokens\":0"),
        ["UsageNegative"] = Usage(new(-5, -7), "\"total_tokens\":-12"),
        ["UsageAbsurd"] = Usage(new(long.MaxValue, long.MaxValue)),
        ["UsageOfStrings"] = Usage(null, "\"prompt_tokens\":\"3\""),
        ["CachedAboveThePrompt"] = Usage(new(3, 4, 9), "\"cached_tokens\":9"),

        ["MissingDone"] = Ends(RawEnd.Complete, 5, finish: true, done: 0),
        ["MissingFinish"] = Ends(RawEnd.Complete, 5, finish: false, done: 1),
        ["DoneTwice"] = Ends(RawEnd.Complete, 5, finish: true, done: 2),
        ["WordsAfterDone"] = async exchange => Assert.Contains("late", (await exchange.ReadAsync()).Response.Events[^1], StringComparison.Ordinal),
        ["LastEventWithoutBlankLine"] = async exchange => Assert.EndsWith("\n\ndata: [DONE]", (await exchange.ReadAsync()).Response.Text, StringComparison.Ordinal),
        ["EndsMidway"] = Ends(RawEnd.Complete, 2, finish: false, done: 0),
        ["EndsAfterHead"] = Ends(RawEnd.Complete, 0, finish: false, done: 0),
        ["NeverEnding"] = Stalls(50, 200),
        ["ResetBeforeHead"] = Ends(RawEnd.Reset, 0, finish: false, done: 0, status: 0),
        ["FinBeforeHead"] = Ends(RawEnd.Truncated, 0, finish: false, done: 0, status: 0),
        ["ResetAfterHead"] = Ends(RawEnd.Reset, 0, finish: false, done: 0),
        ["ResetMidway"] = Ends(RawEnd.Reset, 2, finish: false, done: 0),
        ["FinMidway"] = Ends(RawEnd.Truncated, 2, finish: false, done: 0),
        ["ResetInsideFrame"] = Ends(RawEnd.Reset, 2, finish: false, done: 0),
        ["FinInsideFrame"] = Ends(RawEnd.Truncated, 2, finish: false, done: 0),
        ["FinBeforeFinish"] = Ends(RawEnd.Truncated, 5, finish: false, done: 0),
        ["FinBeforeUsage"] = Ends(RawEnd.Truncated, 5, finish: true, done: 0),
        ["FinBeforeDone"] = Ends(RawEnd.Truncated, 5, finish: true, done: 0),
        ["FinAfterDone"] = Ends(RawEnd.Truncated, 5, finish: true, done: 1),
        ["StallsBeforeHead"] = Stalls(0, 0),
        ["StallsAfterHead"] = Stalls(0, 200),
        ["StallsMidway"] = Stalls(2, 200),
        ["StallsBeforeDone"] = Stalls(5, 200),

        ["ErrorFrameThenDone"] = Fails("\"code\":500}}", done: true),
        ["ErrorFrameThenEnd"] = Fails("\"code\":500}}", done: false),
        ["ErrorFrameFirst"] = async exchange => Assert.StartsWith("{\"error\":", (await exchange.ReadAsync()).Response.Events[0], StringComparison.Ordinal),
        ["ErrorFrameOfTgi"] = Fails("\"error_type\":\"generation\"", done: false),
        ["ErrorFrameOfSglang"] = Fails("{\"object\":\"error\"", done: true),
        ["ErrorEvent"] = Fails("event: error\ndata: {\"error\":", done: false),
        ["ErrorBodyWith200"] = Answer(200, "{\"error\":"),
        ["WholeAnswerInsteadOfStream"] = Answer(200, "\"object\":\"chat.completion\""),
        ["StreamAsPlainText"] = Answer(200, "data: [DONE]"),
        ["GarbageFrame"] = Stream("data: {not json\n\n"),
        ["GarbageBytes"] = Carries([0x00, 0xFF, 0xFE, 0x80]),
        ["InvalidUtf8InsideContent"] = Carries([0x22, 0xC3, 0x28, 0x22]),

        ["FaithfulAnswer"] = Answer(200, ScriptsTests.WholeText),
        ["AnswerWithoutUsage"] = Answer(200, ScriptsTests.WholeText, without: "usage"),
        ["AnswerWithZeroUsage"] = Answer(200, "\"total_tokens\":0"),
        ["AnswerWithAbsurdUsage"] = Answer(200, "9223372036854775807"),
        ["TenMegabyteAnswer"] = async exchange => Assert.True((await exchange.ReadAsync()).Response.Body.Length > 10 << 20),
        ["AnswerWithErrorInside"] = Answer(200, "model is loading"),
        ["EmptyAnswer"] = async exchange => Assert.Empty((await exchange.ReadAsync()).Response.Body),
        ["AnswerOfHtml"] = Answer(200, "<html>"),
        ["AnswerOfHalfJson"] = NotJson(),
        ["AnswerOfGarbage"] = Carries([0x00, 0xFF, 0xFE, 0x80]),
        ["NoContent"] = Answer(204, ""),
        ["NotHttp"] = async exchange => await Assert.ThrowsAsync<InvalidDataException>(exchange.ReadAsync),
        ["ContentLengthTooLong"] = Broken(RawEnd.Truncated, ScriptsTests.WholeText),
        ["ContentLengthTooShort"] = NotJson(),
        ["AnswerResetBeforeHead"] = Broken(RawEnd.Reset, ""),
        ["AnswerFinBeforeHead"] = Broken(RawEnd.Truncated, ""),
        ["AnswerResetHalfway"] = Broken(RawEnd.Reset, "{\"id\":"),
        ["AnswerFinHalfway"] = Broken(RawEnd.Truncated, "{\"id\":"),
        ["AnswerStallsBeforeHead"] = Stalls(0, 0),
        ["AnswerStallsHalfway"] = Stalls(0, 200),
        ["AnswerSplitAtEveryByte"] = Answer(200, ScriptsTests.WholeText),

        ["BadRequestOfVllm"] = Answer(400, "\"code\":400"),
        ["BadRequestOfSglang"] = Answer(400, "{\"object\":\"error\""),
        ["ContextExceededOfLlamaCpp"] = Answer(400, "exceed_context_size_error"),
        ["ContentFilterOfAzure"] = Answer(400, "content_filter"),
        ["UnauthorizedAsString"] = Answer(401, "{\"error\":\"Unauthorized\"}"),
        ["UnauthorizedEchoingTheKey"] = Answer(401, "sk-upst"),
        ["Forbidden"] = Answer(403, "does not have access"),
        ["ModelNotFoundOfVllm"] = Answer(404, "\"code\":404"),
        ["RequestTimeout"] = Answer(408, "timeout"),
        ["UnprocessableOfTgi"] = Answer(422, "\"error_type\":\"validation\""),
        ["FailedDependencyOfTgi"] = Answer(424, "\"error_type\":\"generation\""),
        ["TooManyRequests"] = Header(429, "retry-after", "2"),
        ["TooManyRequestsForAnHour"] = Header(429, "retry-after", "3600"),
        ["QuotaExceeded"] = Answer(429, "insufficient_quota"),
        ["ServerError"] = Answer(500, "Traceback"),
        ["ServerErrorWithoutBody"] = Header(500, "content-length", "0"),
        ["BadGatewayOfHtml"] = Answer(502, "nginx"),
        ["LoadingOfLlamaCpp"] = Header(503, "retry-after", "1"),
        ["GatewayTimeout"] = Answer(504, "timeout"),
        ["OverloadedOfAnthropic"] = Answer(529, "overloaded_error"),
        ["RedirectsElsewhere"] = Header(307, "location", "http://127.0.0.1:9/v1/chat/completions"),
    };

    public static Func<ScriptsTests.Exchange, Task> Of(string name)
        => _byName.TryGetValue(name, out var expectation) ? expectation : throw new KeyNotFoundException($"Nothing says what {name} should look like.");

    private static Func<ScriptsTests.Exchange, Task> Stream(params string[] contains) => async exchange =>
    {
        var (response, books) = await exchange.ReadAsync();
        Assert.Equal((200, RawEnd.Complete), (response.Status, response.End));
        Assert.Equal(ScriptsTests.WholeText, ScriptsTests.ContentOf(response));
        Assert.Equal("[DONE]", response.Events[^1]);
        Assert.All(contains, text => Assert.Contains(text, response.Text, StringComparison.Ordinal));
        Assert.Equal((4, 5), (books.PromptTokens, books.CompletionTokens));
        Assert.Equal(response.Body.Length, books.BytesSent);
    };

    private static Func<ScriptsTests.Exchange, Task> Usage(UpstreamUsage? stated, params string[] contains) => async exchange =>
    {
        var (response, books) = await exchange.ReadAsync();
        Assert.Equal("[DONE]", response.Events[^1]);
        Assert.Equal(stated, books.StatedUsage);
        Assert.All(contains, text => Assert.Contains(text, response.Text, StringComparison.Ordinal));
        Assert.Equal(stated is null && !books.Script.EndsWith("Strings", StringComparison.Ordinal), !response.Text.Contains("usage", StringComparison.Ordinal));
    };

    private static Func<ScriptsTests.Exchange, Task> Ends(RawEnd end, int words, bool finish, int done, int status = 200) => async exchange =>
    {
        var (response, books) = await exchange.ReadAsync();
        Assert.Equal((status, end), (response.Status, response.End));
        Assert.Equal(words, books.CompletionTokens);
        Assert.Equal(words == 5 ? ScriptsTests.WholeText : words == 2 ? Half : "", ScriptsTests.ContentOf(response).Replace(" never", "", StringComparison.Ordinal));
        Assert.Equal(finish, response.Text.Contains("\"finish_reason\":\"stop\"", StringComparison.Ordinal));
        Assert.Equal(done, response.Events.Count(frame => frame == "[DONE]"));
        Assert.True(books.Finished && !books.ClientAborted);
    };

    private static Func<ScriptsTests.Exchange, Task> Fails(string error, bool done) => async exchange =>
    {
        var (response, _) = await exchange.ReadAsync();
        Assert.Equal((200, RawEnd.Complete), (response.Status, response.End));
        Assert.Equal(Half, ScriptsTests.ContentOf(response));
        Assert.Contains(error, response.Text, StringComparison.Ordinal);
        Assert.Equal(done, response.Events[^1] == "[DONE]");
    };

    private static Func<ScriptsTests.Exchange, Task> Stalls(int words, int status) => async exchange =>
    {
        var (text, books) = await exchange.ReadSomeAsync(words);
        Assert.Equal(status, books.Status);
        Assert.Equal(status != 0, text.StartsWith("HTTP/1.1 200", StringComparison.Ordinal));
        Assert.True(books.ClientAborted && books.CompletionTokens >= words);
    };

    private static Func<ScriptsTests.Exchange, Task> Answer(int status, string contains, string? without = null) => async exchange =>
    {
        var (response, _) = await exchange.ReadAsync();
        Assert.Equal((status, RawEnd.Complete), (response.Status, response.End));
        Assert.Contains(contains, response.Text, StringComparison.Ordinal);
        Assert.False(without is not null && response.Text.Contains(without, StringComparison.Ordinal));
    };

    private static Func<ScriptsTests.Exchange, Task> Header(int status, string name, string value) => async exchange =>
    {
        var (response, _) = await exchange.ReadAsync();
        Assert.Equal((status, value), (response.Status, response.Headers[name].ToString()));
    };

    private static Func<ScriptsTests.Exchange, Task> Broken(RawEnd end, string contains) => async exchange =>
    {
        var (response, _) = await exchange.ReadAsync();
        Assert.Equal(end, response.End);
        Assert.Contains(contains, response.Text, StringComparison.Ordinal);
    };

    private static Func<ScriptsTests.Exchange, Task> NotJson() => async exchange =>
    {
        var (response, _) = await exchange.ReadAsync();
        Assert.Equal((200, RawEnd.Complete), (response.Status, response.End));
        Assert.ThrowsAny<JsonException>(() => JsonDocument.Parse(response.Body));
    };

    private static Func<ScriptsTests.Exchange, Task> Carries(byte[] bytes) => async exchange
        => Assert.True((await exchange.ReadAsync()).Response.Body.AsSpan().IndexOf(bytes) >= 0);
}
