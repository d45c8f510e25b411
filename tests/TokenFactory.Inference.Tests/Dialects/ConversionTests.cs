using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using TokenFactory.Inference.Dialects;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.Tests.Metering.Scanning;
using Xunit;

namespace TokenFactory.Inference.Tests.Dialects;

/// <summary>Across dialects nothing is lost silently, nothing invented: docs/api/protocol.md, held to by the corpus and by cuts at every byte.</summary>
public sealed class ConversionTests
{
    private static readonly JsonSerializerOptions _readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly Deployment _deployment = new()
    {
        Name = "d",
        Provider = new Provider("p", ProviderKind.OpenAi, null, null),
        Endpoints = [],
        ContinuousUsage = true,
    };

    [Theory]
    [MemberData(nameof(Corpus.Of), "request", MemberType = typeof(Corpus), DisableDiscoveryEnumeration = true)]
    public void A_request_goes_over_whole_or_is_refused_by_name(string direction, string name)
    {
        Corpus.Expect(direction, "request", name, RequestOf(direction, Corpus.Input(direction, "request", name)));
    }

    [Theory]
    [MemberData(nameof(Corpus.Of), "answer", MemberType = typeof(Corpus), DisableDiscoveryEnumeration = true)]
    public void An_answer_comes_back_as_the_clients_dialect(string direction, string name)
    {
        using var converter = Corpus.Conversion(direction).Answer(isEventStream: false, new Epoch(), new BodyBudget(long.MaxValue));
        converter.Feed(Corpus.Input(direction, "answer", name));
        string made;
        try
        {
            made = Readable(converter.Complete());
        }
        catch (UnreadableAnswerException unreadable)
        {
            made = unreadable.Message + "\n";
        }

        Corpus.Expect(direction, "answer", name, made);
    }

    [Theory]
    [MemberData(nameof(Corpus.Of), "stream", MemberType = typeof(Corpus), DisableDiscoveryEnumeration = true)]
    public void A_stream_comes_back_as_the_clients_events(string direction, string name)
    {
        using var converter = Corpus.Conversion(direction).Answer(isEventStream: true, new Epoch(), new BodyBudget(long.MaxValue));
        var made = Encoding.UTF8.GetString(converter.Feed(Corpus.Input(direction, "stream", name)).Span);
        made += Encoding.UTF8.GetString(converter.Complete().Span);

        Corpus.Expect(direction, "stream", name, made);
    }

    [Theory]
    [MemberData(nameof(Corpus.Of), "stream", MemberType = typeof(Corpus), DisableDiscoveryEnumeration = true)]
    public void A_stream_makes_the_same_events_however_the_network_cuts_it(string direction, string name)
    {
        var stream = Corpus.Input(direction, "stream", name);
        var whole = Undated(Corpus.Convert(direction, stream, []));

        Assert.Equal(whole, Undated(Corpus.Convert(direction, stream, Enumerable.Range(1, stream.Length - 1))));
        for (var cut = 1; cut < stream.Length; cut++)
        {
            Assert.Equal(whole, Undated(Corpus.Convert(direction, stream, [cut])));
        }
    }

    [Theory]
    [MemberData(nameof(Corpus.Of), "stream", MemberType = typeof(Corpus), DisableDiscoveryEnumeration = true)]
    public void P7_a_stream_that_is_cut_is_cut_in_the_other_dialect_too(string direction, string name)
    {
        var stream = Corpus.Input(direction, "stream", name);
        var terminator = Encoding.UTF8.GetString(stream).LastIndexOf(Corpus.Backend(direction) == Dialect.Anthropic ? "\"message_stop\"" : "[DONE]", StringComparison.Ordinal);
        var bytes = terminator < 0 ? stream.Length : Encoding.UTF8.GetByteCount(Encoding.UTF8.GetString(stream)[..terminator]);
        for (var end = 0; end <= bytes; end++)
        {
            Heard heard;
            try
            {
                heard = Heard.Whole(Corpus.Convert(direction, stream.AsSpan(0, end), []), strip: false, Corpus.Client(direction));
            }
            catch (UnreadableAnswerException)
            {
                // Cut inside an event: no answer, and said so.
                continue;
            }

            Assert.False(heard is { SawDone: true, Finished: > 0, Error: null }, $"whole after {end} bytes: {heard.Passed}{heard.HeldBack}");
        }
    }

    [Fact]
    public void P3_usage_means_the_same_in_both_dialects()
    {
        var toChat = Heard.Whole(Corpus.Convert("openai-to-anthropic", Corpus.Input("openai-to-anthropic", "stream", "text"), []), strip: false);
        var toMessage = Heard.Whole(Corpus.Convert("anthropic-to-openai", Corpus.Input("anthropic-to-openai", "stream", "text"), []), strip: false, Dialect.Anthropic);
        var direct = Heard.Whole(Encoding.UTF8.GetString(Corpus.Input("openai-to-anthropic", "stream", "text")), strip: false, Dialect.Anthropic);

        Assert.Equal(new ReportedUsage(123, 9, 100, 20, null), toChat.Usage);
        Assert.Equal(toChat.Usage, direct.Usage);
        Assert.Equal(new ReportedUsage(120, 9, 100, 0, null), toMessage.Usage);
    }

    private static string RequestOf(string direction, byte[] body)
    {
        try
        {
            return Readable(Corpus.Conversion(direction).Request(body, _deployment, "upstream-model"));
        }
        catch (InexpressibleException refused)
        {
            return $"{refused.Error.Status} {refused.Error.Code} {refused.Error.Param}: {refused.Error.Message}\n";
        }
    }

    private static string Readable(ReadOnlyMemory<byte> json) => JsonNode.Parse(json.Span)!.ToJsonString(_readable) + "\n";

    private static string Undated(string stream) => System.Text.RegularExpressions.Regex.Replace(stream, "\"created(_at)?\":[0-9]+", "\"created\":0");

    private sealed class Epoch : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch;
    }
}
