using System.Text;
using TokenFactory.Inference.Dialects;
using TokenFactory.Inference.Metering.Scanning;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.Tests.Dialects;
using Xunit;

namespace TokenFactory.Inference.Tests.Metering.Scanning;

/// <summary>Anthropic's streams and messages are metered as they pass: no byte changed, usage from first and last event, cuts noticed.</summary>
public sealed class MessageStreamTests
{
    private const string Messages = "openai-to-anthropic";

    [Fact]
    public void P3_usage_is_the_inputs_of_the_first_event_and_the_outputs_of_the_last()
    {
        var heard = Whole("text");

        Assert.Equal(new ReportedUsage(123, 9, 100, 20, null), heard.Usage);
        Assert.Equal("end_turn", heard.FinishReason);
        Assert.True(heard is { SawDone: true, Finished: 1, Error: null });
        Assert.Equal(Encoding.UTF8.GetByteCount("Grüße \"世界\"\n"), heard.TextBytes);
    }

    [Theory]
    [InlineData("text")]
    [InlineData("thinking-and-tools")]
    [InlineData("crlf-and-comments")]
    public void P7_bytes_pass_unchanged_and_the_last_event_is_held_back(string name)
    {
        var stream = Corpus.Input(Messages, "stream", name);
        var text = Encoding.UTF8.GetString(stream);
        var last = text.LastIndexOf(text.Contains("event: message_stop", StringComparison.Ordinal) ? "event: message_stop" : "data: ", StringComparison.Ordinal);
        var whole = Whole(name);

        Assert.Equal(text[..last], whole.Passed);
        Assert.Equal(text[last..], whole.HeldBack);
        Assert.Equal(whole, Heard.Of(stream, strip: false, Enumerable.Range(1, stream.Length - 1), dialect: Dialect.Anthropic));
        for (var cut = 1; cut < stream.Length; cut++)
        {
            Assert.Equal(whole, Heard.Of(stream, strip: false, [cut], dialect: Dialect.Anthropic));
        }
    }

    [Fact]
    public void Tools_thoughts_and_their_arguments_count_as_delivered()
    {
        var heard = Whole("thinking-and-tools");

        Assert.Equal(Encoding.UTF8.GetByteCount("hm" + "So: " + "weather" + "{\"city\": \"Zürich\"}" + "now"), heard.TextBytes);
    }

    [Theory]
    [InlineData("cut-without-stop")]
    [InlineData("cut-without-reason")]
    [InlineData("error-midway")]
    public void P7_a_stream_that_does_not_end_is_not_whole(string name) =>
        Assert.False(Whole(name) is { SawDone: true, Finished: > 0, Error: null });

    [Fact]
    public void P3_what_was_said_of_the_input_survives_a_cut_and_the_output_is_not_taken_from_it()
    {
        using var scanner = new SseScanner(stripUsage: false, static utf8 => utf8.Length, dialect: Dialect.Anthropic);
        var stream = Corpus.Input(Messages, "stream", "error-midway");
        scanner.Feed(stream);

        Assert.Null(scanner.Usage);
        Assert.Equal(123, scanner.InputUsage?.PromptTokens);
        Assert.Equal(100, scanner.InputUsage?.CachedTokens);
    }

    [Fact]
    public void A_frame_too_large_to_hold_is_metered_as_it_flows()
    {
        var text = new string('x', 200_000);
        var stream = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"" + text + "\"}}\n\n"
            + "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"input_tokens\":4,\"output_tokens\":5}}\n\n"
            + "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
        var heard = Heard.Whole(stream, strip: false, Dialect.Anthropic);

        Assert.Equal(text.Length, heard.TextBytes);
        Assert.Equal(new ReportedUsage(4, 5, null, null, null), heard.Usage);
        Assert.True(heard is { SawDone: true, Finished: 1 });
    }

    [Fact]
    public void A_whole_message_is_metered_with_what_its_tools_are_called_with()
    {
        using var scanner = new JsonAnswerScanner(static utf8 => utf8.Length, Dialect.Anthropic);
        scanner.Feed("""{"id":"m","type":"message","content":[{"type":"text","text":"abc"},{"type":"tool_use","id":"t","name":"f","input":{"a":[1,"}"]}}],"stop_reason":"tool_use","usage":{"input_tokens":3,"cache_read_input_tokens":2,"output_tokens":7}}"""u8);

        Assert.True(scanner.IsWholeObject);
        Assert.Equal(new ReportedUsage(5, 7, 2, null, null), scanner.Usage);
        Assert.Equal("tool_use", scanner.FinishReason);
        Assert.InRange(scanner.CountDelivered(), "abc".Length + "f".Length + """{"a":[1,"}"]}""".Length, "abc".Length + "f".Length + """{"a":[1,"}"]}""".Length + 2);
    }

    [Fact]
    public void A_message_that_is_an_error_is_one()
    {
        using var scanner = new JsonAnswerScanner(null, Dialect.Anthropic);
        scanner.Feed("""{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"""u8);

        Assert.Equal("overloaded_error", scanner.Error?.Type);
    }

    private static Heard Whole(string name) => Heard.Of(Corpus.Input(Messages, "stream", name), strip: false, [], dialect: Dialect.Anthropic);
}
