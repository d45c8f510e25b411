using System.Text;
using TokenFactory.Inference.Dialects;
using TokenFactory.Inference.Dispatch;
using TokenFactory.Inference.Metering.Scanning;
using Xunit;

namespace TokenFactory.Inference.Tests.Metering.Scanning;

public sealed class SseScannerTests
{
    private static readonly byte[] _ordinary = Encoding.UTF8.GetBytes(Streams.Events(Streams.Choice(0, " word")));

    [Fact]
    public void P7_a_chunk_of_whole_events_passes_as_itself()
    {
        using var scanner = new SseScanner(stripUsage: true);
        ReadOnlyMemory<byte> chunk = (byte[])[.. _ordinary, .. _ordinary, .. ": ping\r\n\r\n"u8, .. _ordinary];

        scanner.Feed(chunk);

        Assert.Equal(chunk, Assert.Single(scanner.Passing));
        Assert.Equal(3, scanner.Chunks);
    }

    [Fact]
    public void P7_an_event_passes_with_its_last_byte_and_no_sooner()
    {
        using var scanner = new SseScanner(stripUsage: false);

        scanner.Feed(_ordinary.AsMemory()[..^1]);
        Assert.Empty(scanner.Passing);
        scanner.Feed(_ordinary.AsMemory()[^1..]);

        Assert.Equal(_ordinary, Assert.Single(scanner.Passing).ToArray());
    }

    [Fact]
    public void P1_the_terminator_is_held_back_and_nothing_after_it_passes()
    {
        var heard = Heard.Whole(Streams.Events("{}", "[DONE]", "{\"late\":1}") + ": bye", strip: false);

        Assert.True(heard.SawDone);
        Assert.Equal("data: {}\n\n", heard.Passed);
        Assert.Equal("data: [DONE]\n\n", heard.HeldBack);
    }

    [Fact]
    public void P10_what_follows_the_terminator_is_bounded()
    {
        using var scanner = new SseScanner(stripUsage: false);
        scanner.Feed("data: [DONE]\n\n"u8.ToArray());
        for (var fed = 0; fed < 100; fed++)
        {
            scanner.Feed(new byte[10_000]);
        }

        Assert.Equal(14, scanner.HeldBack.Length);
    }

    [Theory]
    [InlineData("""{"id":"a","usage":null,"choices":[{}]}""", """{"id":"a","choices":[{}]}""")]
    [InlineData("""{"id":"a","choices":[{}],"usage":null}""", """{"id":"a","choices":[{}]}""")]
    [InlineData("""{"usage":null}""", "{}")]
    [InlineData("""{ "usage" : {"prompt_tokens":1} , "choices":[{"text":"\"usage\":null"}] }""", """{ "choices":[{"text":"\"usage\":null"}] }""")]
    [InlineData("""{"id":"a","usage":null,"usage":{"prompt_tokens":1},"choices":[{}],"usage":null}""", """{"id":"a","choices":[{}]}""")]
    [InlineData("""{"id":"a","usage":null,"usage":null }""", """{"id":"a" }""")]
    [InlineData("""{"choices":[],"usage":{"prompt_tokens":1},"prompt_filter_results":[]}""", """{"choices":[],"prompt_filter_results":[]}""")]
    [InlineData("""{"choices":[{"usage":null}],"x":{"usage":{}}}""", """{"choices":[{"usage":null}],"x":{"usage":{}}}""")]
    public void P3_usage_is_cut_out_and_every_other_byte_stays(string sent, string seen) =>
        Assert.Equal(Streams.Events(seen), Heard.Whole(Streams.Events(sent), strip: true).Passed);

    [Theory]
    [InlineData("""{"choices":[],"usage":{"prompt_tokens":1}}""")]
    [InlineData("""{"id":"a","choices":[],"usage":{"prompt_tokens":1},"timings":{"a":1},"x":null,"obfuscation":"z"}""")]
    [InlineData("""{"usage":{"prompt_tokens":1}}""")]
    public void P3_a_client_that_did_not_ask_never_sees_the_usage_chunk(string sent)
    {
        var heard = Heard.Whole(Streams.Events(sent), strip: true);

        Assert.Equal("", heard.Passed);
        Assert.Equal(1, heard.Usage?.PromptTokens);
    }

    [Fact]
    public void P3_the_last_usage_wins_and_is_never_summed()
    {
        var heard = Heard.Whole(Streams.All["vLLM, continuous usage"], strip: true);

        Assert.Equal(new ReportedUsage(9, 3, 4, null, 1), heard.Usage);
        Assert.DoesNotContain("usage", heard.Passed, StringComparison.Ordinal);
    }

    [Fact]
    public void P3_zero_usage_beside_text_is_no_report_but_zero_usage_of_nothing_is()
    {
        Assert.Null(Heard.Whole(Streams.All["Ollama, legacy zero usage"], strip: true).Usage);
        var silent = Heard.Whole(Streams.Events("""{"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0}}"""), strip: true);
        Assert.Equal(0, silent.Usage?.PromptTokens);
        Assert.Null(Heard.Whole(Streams.Events("{}"), strip: true).Usage);
    }

    [Fact]
    public void P7_an_error_frame_and_all_after_it_never_pass()
    {
        var heard = Heard.Whole(Streams.All["vLLM, error"], strip: false);

        Assert.Equal(Streams.Events(Streams.Delta("""{"content":"a"}""", "null", "")), heard.Passed);
        Assert.Equal(new BackendError("gone", "InternalServerError", "500", 500, null), heard.Error);
        Assert.False(heard.SawDone);
        Assert.Equal("", heard.HeldBack);
    }

    [Fact]
    public void P7_a_skeleton_never_hides_the_event_that_differs()
    {
        var same = Streams.Choice(0, "a");
        var finish = same.Replace("null", "\"stop\"", StringComparison.Ordinal);

        Assert.Equal(1, Heard.Whole(Streams.Events(same, same, finish, same), strip: true).Finished);
        Assert.NotNull(Heard.Whole(Streams.Events(same, same, same[..^1] + ",\"error\":\"no\"}"), strip: true).Error);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void P10_a_frame_of_ten_megabytes_passes_in_flat_memory(bool strip)
    {
        var start = """data: {"choices":[{"index":0,"delta":{"content":" """u8.ToArray();
        var body = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("word \\u00e9\\n", 4000)));
        var end = """ "},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4}}"""u8.ToArray();
        var stop = "\n\ndata: [DONE]\n\n"u8.ToArray();
        using var scanner = new SseScanner(strip, static utf8 => utf8.Length);
        var passed = 0L;
        var before = GC.GetAllocatedBytesForCurrentThread();

        Feed(start);
        for (var sent = 0; sent < 230; sent++)
        {
            Feed(body);
        }

        Feed(end);
        Feed(stop);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 512 * 1024);
        Assert.Equal(start.Length + (230L * body.Length) + end.Length + 2, passed);
        Assert.Equal(new ReportedUsage(3, 4, null, null, null), scanner.Usage);
        Assert.Equal("stop", scanner.FinishReason);
        Assert.Equal(2 + (230L * 4000 * 8), scanner.CountDelivered());
        Assert.True(scanner.SawDone);

        void Feed(byte[] chunk)
        {
            scanner.Feed(chunk);
            foreach (var segment in scanner.Passing)
            {
                passed += segment.Length;
            }
        }
    }

    [Fact]
    public void P10_ordinary_events_allocate_nothing()
    {
        var chunk = Encoding.UTF8.GetBytes(Streams.Events(
            Streams.Delta("""{"content":" w\u00f6rd"}""", "null", ""","usage":null,"obfuscation":"x" """),
            Streams.Delta("""{"content":" word"}""", "null", ""","usage":null,"obfuscation":"yy" """)));
        using var scanner = new SseScanner(stripUsage: true, static utf8 => utf8.Length / 4);
        Feed(5_000);
        var before = GC.GetAllocatedBytesForCurrentThread();

        Feed(50_000);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1000);
        Assert.Equal(110_000, scanner.Chunks);

        void Feed(int times)
        {
            for (var fed = 0; fed < times; fed++)
            {
                scanner.Feed(chunk.AsMemory(0, 300));
                scanner.Feed(chunk.AsMemory(300));
            }
        }
    }
}
