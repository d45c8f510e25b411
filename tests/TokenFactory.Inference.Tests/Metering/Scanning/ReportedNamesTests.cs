using System.Text;
using TokenFactory.Inference.Metering.Scanning;
using TokenFactory.Inference.ReadModel;
using Xunit;

namespace TokenFactory.Inference.Tests.Metering.Scanning;

/// <summary>What an answer says it is from, wherever it says so.</summary>
public sealed class ReportedNamesTests
{
    private const string Chunk = """{"id":"1","object":"chat.completion.chunk","created":1,"model":"gpt-x","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":"a"}}]}""";

    [Fact]
    public void A_stream_names_its_model_and_fingerprint_in_the_first_chunk_that_has_them()
    {
        // Azure's first chunk has neither.
        var stream = $"data: {Chunk.Replace("gpt-x", "", StringComparison.Ordinal).Replace("\"fp_1\"", "null", StringComparison.Ordinal)}\n\ndata: {Chunk}\n\ndata: {Chunk.Replace("gpt-x", "other", StringComparison.Ordinal)}\n\ndata: [DONE]\n\n";
        foreach (var size in (int[])[1, 7, 100_000])
        {
            using var scanner = new SseScanner(stripUsage: false);
            foreach (var piece in Encoding.UTF8.GetBytes(stream).Chunk(size))
            {
                scanner.Feed(piece);
            }

            Assert.Equal(("gpt-x", "fp_1"), (scanner.Model, scanner.Fingerprint));
        }
    }

    [Theory]
    [InlineData(Dialect.OpenAi, """{"choices":[{"message":{"content":"\"model\":\"no\""}}],"model":"org\/gpt-x","system_fingerprint":"fp_1"}""", "org/gpt-x", "fp_1")]
    [InlineData(Dialect.Anthropic, """{"type":"message","model":"claude-x","content":[{"type":"text","text":"a"}]}""", "claude-x", null)]
    [InlineData(Dialect.OpenAi, """{"object":"list","data":[{"embedding":[0.1]}],"model":"embed-x","usage":{"prompt_tokens":1}}""", "embed-x", null)]
    [InlineData(Dialect.OpenAi, """{"choices":[],"model":null}""", null, null)]
    [InlineData(Dialect.OpenAi, """{"choices":[],"model":"a\u001b[31mb"}""", "a\uFFFD[31mb", null)]
    public void A_whole_answer_names_them_too(Dialect dialect, string body, string? model, string? fingerprint)
    {
        foreach (var size in (int[])[1, 100_000])
        {
            using var scanner = new JsonAnswerScanner(dialect: dialect);
            foreach (var piece in Encoding.UTF8.GetBytes(body).Chunk(size))
            {
                scanner.Feed(piece);
            }

            Assert.Equal((model, fingerprint), (scanner.Model, scanner.Fingerprint));
        }
    }

    [Fact]
    public void A_message_stream_names_its_model_where_it_begins()
    {
        using var scanner = new SseScanner(stripUsage: false, dialect: Dialect.Anthropic);
        scanner.Feed("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"claude-x\",\"content\":[],\"usage\":{\"input_tokens\":1}}}\n\n"u8.ToArray());

        Assert.Equal("claude-x", scanner.Model);
    }

    [Fact]
    public void A_name_that_repeats_is_one_string_and_a_long_one_is_cut_alike_everywhere()
    {
        Assert.Same(ReportedNames.Of("gpt-x"u8), ReportedNames.Of("gpt-x"u8));
        var longName = new string('x', 500);
        using var whole = new JsonAnswerScanner();
        using var stream = new SseScanner(stripUsage: false);
        whole.Feed(Encoding.UTF8.GetBytes($$"""{"model":"{{longName}}","choices":[]}"""));
        stream.Feed(Encoding.UTF8.GetBytes($$"""data: {"model":"{{longName}}","choices":[]}""" + "\n\n"));

        Assert.Equal(longName[..ReportedNames.BoundBytes], whole.Model);
        Assert.Equal(whole.Model, stream.Model);
    }
}
