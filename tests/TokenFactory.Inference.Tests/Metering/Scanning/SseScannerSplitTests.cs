using System.Text;
using FsCheck;
using FsCheck.Fluent;
using TokenFactory.Inference.Metering.Scanning;
using Xunit;

namespace TokenFactory.Inference.Tests.Metering.Scanning;

public sealed class SseScannerSplitTests
{
    public static TheoryData<string> Names => [.. Streams.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void P7_a_stream_cut_at_any_byte_says_and_passes_what_the_whole_one_does(string name)
    {
        var stream = Streams.Bytes(name);
        foreach (var strip in new[] { false, true })
        {
            var whole = Heard.Of(stream, strip, []);
            for (var cut = 0; cut <= stream.Length; cut++)
            {
                Assert.Equal(whole, Heard.Of(stream, strip, [cut]));
            }

            Assert.Equal(whole, Heard.Of(stream, strip, Enumerable.Range(1, stream.Length - 1)));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void P7_without_stripping_every_byte_up_to_the_end_passes(string name)
    {
        var heard = Heard.Whole(Streams.All[name], strip: false);

        if (heard.Error is null && !heard.IsTruncated)
        {
            Assert.Equal(Streams.UpToTheTerminator(Streams.All[name]), heard.Passed + heard.HeldBack);
        }
        else
        {
            Assert.StartsWith(heard.Passed, Streams.All[name], StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void P3_the_slow_reading_agrees(string name)
    {
        var text = Streams.All[name];
        Agree(text, strip: false);
        Agree(text, strip: true);
    }

    [Fact]
    public void P7_any_events_in_any_order_cut_anywhere_say_the_same()
    {
        var events = Streams.All.Values.SelectMany(stream => stream.Split("\n\n")).Where(one => !one.Contains("[DONE]", StringComparison.Ordinal))
            .Select(one => one + "\n\n").Append("\n").Append("\r\n").Append(": ping\r\r").Append("data: " + new string('x', 900) + "\n\n")
            .Append("data: {\"choices\":[{\"index\":2,\"delta\":{\"content\":\"" + new string('y', 900) + "\\u00e9\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":8}}\r\n\r\n")
            .Append("data: {\"pad\":\"" + new string('y', 700) + "\",\"error\":{\"message\":\"late\"}}\n\n").ToArray();
        var one = Gen.Elements(events);
        var cases = from picked in Gen.ListOf(one)
                    from cuts in Gen.ListOf(Gen.Choose(0, 1_000_000))
                    from strip in Gen.Elements(true, false)
                    from hold in Gen.Elements(16, 100, 500, SseScanner.DefaultHoldBytes)
                    select (Stream: string.Concat(picked), Cuts: cuts, Strip: strip, Hold: hold);

        Check.One(Config.QuickThrowOnFailure.WithMaxTest(1500), Prop.ForAll(cases.ToArbitrary(), sample =>
        {
            var stream = Encoding.UTF8.GetBytes(sample.Stream);
            var cuts = sample.Cuts.Select(cut => cut % (stream.Length + 1)).Order().ToArray();
            var whole = Heard.Of(stream, sample.Strip, [], sample.Hold);
            Assert.Equal(whole, Heard.Of(stream, sample.Strip, cuts, sample.Hold));
            if (!sample.Strip)
            {
                Assert.StartsWith(whole.Passed, sample.Stream, StringComparison.Ordinal);
            }

            if (sample.Hold == SseScanner.DefaultHoldBytes && !whole.IsTruncated)
            {
                Agree(sample.Stream, sample.Strip);
            }
        }));
    }

    [Fact]
    public void Garbage_never_throws_and_passes_unchanged()
    {
        var garbage = ArbMap.Default.GeneratorFor<byte[]>();
        var noise = Gen.Elements("data: ", "{", "}", "\"usage\":", "[DONE", "\n", "\n\n", "\r", "\\", "\"", "\"choices\":[", "null", "event: error", ",", "\\u12", "[", "]");
        var mixed = from pieces in Gen.ListOf(noise)
                    from tail in garbage
                    select (byte[])[.. Encoding.UTF8.GetBytes(string.Concat(pieces)), .. tail];

        Check.One(Config.QuickThrowOnFailure.WithMaxTest(3000), Prop.ForAll(mixed.ToArbitrary(), stream =>
        {
            foreach (var hold in new[] { 16, SseScanner.DefaultHoldBytes })
            {
                Assert.Equal(
                    Heard.Of(stream, true, [], hold),
                    Heard.Of(stream, true, Enumerable.Range(0, stream.Length), hold));
            }
        }));
    }

    private static void Agree(string text, bool strip)
    {
        var heard = Heard.Whole(text, strip);
        var naive = NaiveStream.Read(heard.IsTruncated ? text[..text.LastIndexOf("data:", StringComparison.Ordinal)] : text, strip);

        Assert.Equal(naive.Passed, NaiveStream.Dispatch(heard.Passed).Select(one => NaiveStream.Normal(one.Data)));
        Assert.Equal(naive.Done, heard.SawDone);
        Assert.Equal(naive.Failed, heard.Error is not null);
        Assert.Equal(naive.Finished, heard.Finished);
        Assert.Equal(Encoding.UTF8.GetByteCount(naive.Text.ToString()), heard.TextBytes);
        Assert.Equal(naive.ZeroUsageBesideText ? null : naive.Usage?["prompt_tokens"]?.GetValue<double>(), heard.Usage?.PromptTokens);
        Assert.Equal(naive.ZeroUsageBesideText ? null : naive.Usage?["completion_tokens"]?.GetValue<double>(), heard.Usage?.CompletionTokens);
    }
}
