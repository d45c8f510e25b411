using System.Text;
using TokenFactory.Inference.Dialects;
using TokenFactory.Inference.Metering.Scanning;
using TokenFactory.Inference.ReadModel;
using Xunit;

namespace TokenFactory.Inference.Tests.Metering.Scanning;

/// <summary>OpenAI's Responses are metered as they pass: text from the pieces, usage from the last event, which is held back whole however large it is.</summary>
public sealed class ResponseStreamTests
{
    private const string Opening = """
        event: response.created
        data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","status":"in_progress","error":null,"output":[],"usage":null}}

        event: response.output_item.added
        data: {"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}}


        """;

    private const string Pieces = """
        event: response.reasoning_text.delta
        data: {"type":"response.reasoning_text.delta","sequence_number":2,"item_id":"rs_1","output_index":0,"content_index":0,"delta":"hm"}

        event: response.output_text.delta
        data: {"type":"response.output_text.delta","sequence_number":3,"item_id":"msg_1","output_index":1,"content_index":0,"delta":"Grüße \"response\":","logprobs":[],"obfuscation":"abc"}

        : a comment

        event: response.output_text.delta
        data: {"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_1","output_index":1,"content_index":0,"delta":" {\"sequence_number\":99}","logprobs":[],"obfuscation":"a"}

        event: response.refusal.delta
        data: {"type":"response.refusal.delta","sequence_number":5,"item_id":"msg_1","output_index":1,"content_index":1,"delta":"no"}

        event: response.function_call_arguments.delta
        data: {"type":"response.function_call_arguments.delta","sequence_number":6,"item_id":"fc_1","output_index":2,"delta":"{}"}

        event: response.output_text.done
        data: {"type":"response.output_text.done","sequence_number":7,"item_id":"msg_1","output_index":1,"content_index":0,"text":"Grüße","logprobs":[]}


        """;

    private const string Delivered = "hm" + "Grüße \"response\":" + " {\"sequence_number\":99}" + "no" + "{}";

    private const string Output = """[{"id":"msg_1","type":"message","role":"assistant","content":[{"type":"output_text","text":"Grüße","annotations":[]}]}]""";

    private const string Usage = """{"input_tokens":120,"input_tokens_details":{"cached_tokens":100},"output_tokens":9,"output_tokens_details":{"reasoning_tokens":4},"total_tokens":129}""";

    private static readonly ReportedUsage _reported = new(120, 9, 100, null, 4);

    [Theory]
    [InlineData("completed")]
    [InlineData("incomplete")]
    public void P7_bytes_pass_unchanged_and_the_last_event_is_held_back_however_the_stream_is_cut(string status)
    {
        var (passes, last) = (Opening + Pieces, Last(status));
        var stream = Encoding.UTF8.GetBytes(passes + last);
        var whole = Of(stream, []);

        Assert.Equal((passes, last), (whole.Passed, whole.HeldBack));
        Assert.True(whole is { SawDone: true, Finished: 1, Error: null, IsTruncated: false });
        Assert.Equal("response." + status, whole.FinishReason);
        Assert.Equal(_reported, whole.Usage);
        Assert.Equal(Encoding.UTF8.GetByteCount(Delivered), whole.TextBytes);
        Assert.Equal(whole, Of(stream, Enumerable.Range(1, stream.Length - 1)));
        for (var cut = 1; cut < stream.Length; cut++)
        {
            Assert.Equal(whole, Of(stream, [cut]));
        }
    }

    [Fact]
    public void P1_not_a_byte_of_the_last_event_passes_however_large_it_is()
    {
        var last = Last("completed").Replace("\"text\":\"Grüße\"", $"\"text\":\"{new string('x', 300_000)}\"", StringComparison.Ordinal);

        var heard = Of(Encoding.UTF8.GetBytes(Opening + last), [1000, 100_000, 200_000]);

        Assert.Equal((Opening, last), (heard.Passed, heard.HeldBack));
        Assert.Equal(_reported, heard.Usage);
    }

    [Fact]
    public void P1_a_last_event_that_tells_a_request_as_deep_as_any_is_recognised()
    {
        var schema = string.Concat(Enumerable.Repeat("{\"a\":", 64)) + "1" + new string('}', 64);
        var last = Last("completed").Replace("\"output\":", $"\"tools\":[{{\"type\":\"function\",\"parameters\":{schema}}}],\"output\":", StringComparison.Ordinal);

        Assert.Equal(last, Of(Encoding.UTF8.GetBytes(Opening + last), []).HeldBack);
    }

    [Fact]
    public void P7_a_stream_that_is_cut_anywhere_is_not_whole_and_what_was_delivered_is_counted()
    {
        var stream = Encoding.UTF8.GetBytes(Opening + Pieces + Last("completed"));
        var last = Encoding.UTF8.GetByteCount(Opening + Pieces);
        for (var end = 0; end < last; end++)
        {
            Assert.False(Of(stream.AsSpan(0, end), []) is { SawDone: true }, $"whole after {end} bytes");
        }

        Assert.Equal(Encoding.UTF8.GetByteCount(Delivered), Of(stream.AsSpan(0, last + 200), []).TextBytes);
        Assert.Null(Of(stream.AsSpan(0, last + 200), []).Usage);
    }

    [Fact]
    public void P3_a_response_that_failed_is_an_error_and_what_it_says_it_used_counts()
    {
        var failed = "event: response.failed\ndata: {\"type\":\"response.failed\",\"sequence_number\":8,\"response\":{\"id\":\"resp_1\",\"status\":\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"x\"},\"output\":[],\"usage\":" + Usage + "}}\n\n";

        var heard = Heard.Whole(Opening + Pieces + failed, strip: false, Dialect.Responses);

        Assert.NotNull(heard.Error);
        Assert.Equal(Opening + Pieces, heard.Passed);
        Assert.Equal(_reported, heard.Usage);
    }

    [Theory]
    [InlineData("event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"x\",\"param\":null,\"sequence_number\":8}\n\n")]
    [InlineData("data: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"x\",\"param\":null,\"sequence_number\":8}\n\n")]
    [InlineData("data: {\"error\":{\"message\":\"x\"}}\n\n")]
    public void P7_an_error_event_never_passes(string error)
    {
        var heard = Heard.Whole(Opening + error + Last("completed"), strip: false, Dialect.Responses);

        Assert.Equal((Opening, "", false), (heard.Passed, heard.HeldBack, heard.SawDone));
        Assert.NotNull(heard.Error);
    }

    [Fact]
    public void The_next_event_is_numbered_after_the_last_that_passed_whatever_its_text_says()
    {
        using var scanner = new SseScanner(stripUsage: false, null, dialect: Dialect.Responses);
        Assert.Equal(0, scanner.NextSequenceNumber);

        scanner.Feed(Encoding.UTF8.GetBytes(Opening + Pieces[..Pieces.IndexOf("event: response.refusal", StringComparison.Ordinal)]));
        Assert.Equal(5, scanner.NextSequenceNumber);

        scanner.Feed(Encoding.UTF8.GetBytes(Last("completed")));
        Assert.Equal(5, scanner.NextSequenceNumber);
    }

    [Fact]
    public void A_whole_response_is_metered_with_its_reasoning_and_what_its_functions_are_called_with()
    {
        using var scanner = new JsonAnswerScanner(static utf8 => utf8.Length, Dialect.Responses);
        scanner.Feed(Encoding.UTF8.GetBytes("""
            {"id":"resp_1","object":"response","status":"completed","error":null,"output":[
              {"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"ab"}],"content":[{"type":"reasoning_text","text":"cd"}]},
              {"id":"msg_1","type":"message","role":"assistant","content":[{"type":"output_text","text":"efg"},{"type":"refusal","refusal":"h"}]},
              {"id":"fc_1","type":"function_call","call_id":"c","name":"ij","arguments":"{}"}],
             "usage":
            """ + Usage + "}"));

        Assert.True(scanner.IsWholeObject);
        Assert.Null(scanner.Error);
        Assert.Equal(_reported, scanner.Usage);
        Assert.Equal("abcdefghij{}".Length, scanner.CountDelivered());
    }

    private static string Last(string status) =>
        $"event: response.{status}\ndata: {{\"type\":\"response.{status}\",\"sequence_number\":8,\"response\":{{\"id\":\"resp_1\",\"object\":\"response\",\"status\":\"{status}\",\"error\":null,\"output\":{Output},\"usage\":{Usage}}}}}\n\n";

    private static Heard Of(ReadOnlySpan<byte> stream, IEnumerable<int> cuts) => Heard.Of(stream, strip: false, cuts, holdBytes: 1024 * 1024, dialect: Dialect.Responses);
}
