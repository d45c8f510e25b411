using System.Text;
using TokenFactory.Inference.Dialects;
using TokenFactory.Inference.Metering.Scanning;
using TokenFactory.Inference.ReadModel;
using Xunit;

namespace TokenFactory.Inference.Tests.Metering.Scanning;

public sealed class JsonAnswerScannerTests
{
    private const string Chat =
        """{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"H\u00e9 \"you\"","tool_calls":[{"id":"x","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},"logprobs":{"content":[{"token":"H","top_logprobs":[]}]},"finish_reason":"tool_calls"},{"finish_reason":"length","index":1,"message":{"content":"B"}}],"usage":{"prompt_tokens":9,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":4}}}""";

    [Fact]
    public void P3_a_body_cut_at_any_byte_says_what_the_whole_one_does()
    {
        var body = Encoding.UTF8.GetBytes(Chat);
        for (var cut = 0; cut <= body.Length; cut++)
        {
            using var scanner = Scan(body[..cut], body[cut..]);

            Assert.True(scanner.IsWholeObject);
            Assert.Null(scanner.Error);
            Assert.Equal(new ReportedUsage(9, 3, 4, null, null), scanner.Usage);
            Assert.Equal(2, scanner.FinishedChoices);
            Assert.Equal("length", scanner.FinishReason);
            Assert.Equal(Encoding.UTF8.GetByteCount("Hé \"you\"" + "f" + "{\"a\":1}" + "B"), scanner.CountDelivered());
        }
    }

    [Theory]
    [InlineData("""{"object":"list","data":[{"embedding":[NUMBERS],"index":0}],"model":"m","usage":{"prompt_tokens":8,"total_tokens":8}}""")]
    [InlineData("""{"usage":{"prompt_tokens":8,"total_tokens":8},"object":"list","data":[{"embedding":[NUMBERS],"index":0}]}""")]
    [InlineData("""{"object":"list","data":[{"embedding":"NUMBERS","usage":{"prompt_tokens":1}}],"usage":{"prompt_tokens":8}}""")]
    public void P10_embeddings_of_any_size_need_flat_memory(string shape)
    {
        var parts = shape.Split("NUMBERS");
        var numbers = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("-0.0123456,", 6000)));
        using var scanner = new JsonAnswerScanner();
        var (head, tail) = (Encoding.UTF8.GetBytes(parts[0]), Encoding.UTF8.GetBytes(parts[1]));
        var before = GC.GetAllocatedBytesForCurrentThread();

        scanner.Feed(head);
        for (var fed = 0; fed < 300; fed++)
        {
            scanner.Feed(numbers);
        }

        scanner.Feed(tail);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 128 * 1024);
        Assert.Equal(8, scanner.Usage?.PromptTokens);
        Assert.True(scanner.IsWholeObject);
    }

    [Theory]
    [InlineData("""{"error":{"message":"m","code":429}}""", "m")]
    [InlineData("""{"object":"error","message":"m","code":400}""", "m")]
    [InlineData("""{"error":"m"}""", "m")]
    [InlineData("""{"id":"x","choices":[],"error":{"message":"m"}}""", "m")]
    [InlineData("""{"error":null,"choices":[]}""", null)]
    [InlineData("""{"error":"","choices":[{"message":{"content":"error"}}]}""", null)]
    public void An_error_in_an_answer_of_200_is_found(string body, string? message)
    {
        using var scanner = Scan(Encoding.UTF8.GetBytes(body));

        Assert.Equal(message, scanner.Error?.Message);
        Assert.Equal(message is null, scanner.Error is null);
    }

    [Theory]
    [InlineData("""{"object":"response","status":"failed","error":{"message":"m"},"output":[],"usage":{"input_tokens":31,"output_tokens":2}}""")]
    [InlineData("""{"object":"response","error":"m","usage":{"input_tokens":31,"output_tokens":2}}""")]
    public void P3_a_failed_body_reports_its_usage_wherever_it_was_cut(string text)
    {
        var body = Encoding.UTF8.GetBytes(text);
        for (var cut = 0; cut <= body.Length; cut++)
        {
            using var scanner = new JsonAnswerScanner(dialect: Dialect.Responses);
            scanner.Feed(body.AsSpan(..cut));
            scanner.Feed(body.AsSpan(cut..));

            Assert.Equal("m", scanner.Error?.Message);
            Assert.Equal(31, scanner.Usage?.PromptTokens);
            Assert.Equal(2, scanner.Usage?.CompletionTokens);
        }
    }

    [Theory]
    [InlineData("{}", true)]
    [InlineData(" {\"a\":[1,{\"b\":\"}\\\"\"}]} \n", true)]
    [InlineData("", false)]
    [InlineData("<html>{}</html>", false)]
    [InlineData("[{}]", false)]
    [InlineData("{\"a\":1", false)]
    [InlineData("{\"a\":[1}]", false)]
    [InlineData("{}{}", false)]
    [InlineData("{\"a\":\"b}", false)]
    public void A_body_is_a_whole_object_or_it_is_not(string body, bool whole)
    {
        using var scanner = Scan(Encoding.UTF8.GetBytes(body));

        Assert.Equal(whole, scanner.IsWholeObject);
    }

    [Fact]
    public void P10_depth_beyond_all_reason_is_walked_not_followed()
    {
        using var scanner = Scan(Encoding.UTF8.GetBytes("{\"a\":" + new string('[', 100_000) + new string(']', 100_000) + ",\"usage\":{\"prompt_tokens\":1}}"));

        Assert.True(scanner.IsWholeObject);
        Assert.Equal(1, scanner.Usage?.PromptTokens);
    }

    private static JsonAnswerScanner Scan(params byte[][] pieces)
    {
        var scanner = new JsonAnswerScanner(static utf8 => utf8.Length);
        foreach (var piece in pieces)
        {
            scanner.Feed(piece);
        }

        return scanner;
    }
}
