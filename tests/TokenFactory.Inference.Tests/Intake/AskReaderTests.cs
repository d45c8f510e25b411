using System.Text;
using Microsoft.AspNetCore.Http;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.ReadModel;
using Xunit;

namespace TokenFactory.Inference.Tests.Intake;

public sealed class AskReaderTests
{
    [Fact]
    public void It_reads_what_the_gateway_acts_on()
    {
        var ask = Ask("""{"model":"org/m-1","stream":true,"stream_options":{"include_usage":true},"max_tokens":7,"n":3,"messages":[{"role":"user","content":"hello"}],"metadata":{"tf_use_case":"search"},"unknown":{"model":"not this one"}}""");

        Assert.Equal("org/m-1", ask.Model);
        Assert.True(ask.Stream);
        Assert.True(ask.StreamOptions.IncludeUsage);
        Assert.Equal(7, ask.MaxOutputTokens);
        Assert.Equal(3, ask.Choices);
        Assert.Equal("search", GovernanceReader.Read(new HeaderDictionary(), ask.Metadata).Governance!.UseCase);
    }

    [Fact]
    public void Of_a_message_it_reads_the_system_as_input_and_nothing_that_is_OpenAIs_own()
    {
        const string Body = """{"model":"m","max_tokens":7,"n":3,"stream":true,"stream_options":{"include_usage":true},"system":[{"type":"text","text":"SYSTEM"}],"messages":[{"role":"user","content":"hello"}]}""";
        var (ask, error) = Read(Encoding.UTF8.GetBytes(Body), Operations.Chat, Dialect.Anthropic);

        Assert.Null(error);
        Assert.Equal(1, ask!.Choices);
        Assert.False(ask.StreamOptions.IncludeUsage);
        Assert.Equal("SYSTEMtextuserhello".Length, ask.InputBytes);
        Assert.Equal(Ask("""{"model":"m","messages":[{"role":"system","content":[{"type":"text","text":"SYSTEM"}]},{"role":"user","content":"hello"}]}""").CountInput() - 1, ask.CountInput());
    }

    [Theory]
    [InlineData("\\ud83d", false)]
    [InlineData("\\ude00", false)]
    [InlineData("\\ud83d\\ud83d", false)]
    [InlineData("\\uD83D x", false)]
    [InlineData("\\ud83d\\ude00", true)]
    [InlineData("\\uD83D\\uDE00 \\n", true)]
    [InlineData("\\\\ud83d", true)]
    [InlineData("\\\\\\ud83d", false)]
    [InlineData("\\u00e9", true)]
    public void Half_of_a_character_is_refused_where_it_is_read_first(string text, bool isWhole)
    {
        var body = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"" + text + "\"}]}";

        Assert.Equal(isWhole, Read(body).Error is null);
    }

    [Theory]
    [InlineData("inference_geo")]
    [InlineData("mcp_servers")]
    public void P6_a_member_that_says_where_to_serve_is_refused(string member)
    {
        var body = "{\"model\":\"m\",\"max_tokens\":1,\"" + member + "\":\"x\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";

        Assert.Equal(member, Read(Encoding.UTF8.GetBytes(body), Operations.Chat, Dialect.Anthropic).Error?.Param);
    }

    [Fact]
    public void A_message_without_a_bound_is_refused_but_may_be_counted()
    {
        var body = """{"model":"m","messages":[{"role":"user","content":"hello"}]}"""u8.ToArray();

        Assert.Equal("max_tokens", Read(body, Operations.Chat, Dialect.Anthropic).Error?.Param);
        Assert.Null(Read(body, Operations.Chat, Dialect.Anthropic, countsOnly: true).Error);
    }

    [Fact]
    public void The_newer_bound_on_output_wins_over_the_older() =>
        Assert.Equal(5, Ask("""{"model":"m","max_tokens":9,"max_completion_tokens":5,"messages":[{}]}""").MaxOutputTokens);

    [Fact]
    public void Tokens_never_exceed_the_bound_taken_from_bytes()
    {
        var ask = Ask("""{"model":"gpt-4o","messages":[{"role":"system","content":"Be brief."},{"role":"user","name":"ann","content":[{"type":"text","text":"How are ÅNGSTRÖMS measured? 你好 \n\t"}]}],"tools":[{"type":"function","function":{"name":"f"}}]}""");
        var bound = ask.InputBound;

        Assert.InRange(ask.CountInput(), 10, bound);
    }

    [Fact]
    public void Input_given_as_token_ids_is_counted_as_it_is() =>
        Assert.Equal(5, Ask("""{"model":"m","input":[[1,2,3],[4,5]]}""", Operations.Embeddings).InputBound);

    [Theory]
    [InlineData("", "JSON")]
    [InlineData("[]", "JSON object")]
    [InlineData("{\"model\":\"m\",\"messages\":[{}]} trailing", "JSON")]
    [InlineData("{\"model\":\"m\",\"messages\":[{}]", "JSON")]
    [InlineData("{\"messages\":[{}]}", "'model'")]
    [InlineData("{\"model\":5,\"messages\":[{}]}", "'model' must be a string")]
    [InlineData("{\"model\":\"\",\"messages\":[{}]}", "1 to 256")]
    [InlineData("{\"model\":\"m\"}", "'messages'")]
    [InlineData("{\"model\":\"m\",\"messages\":[]}", "at least one")]
    [InlineData("{\"model\":\"m\",\"messages\":\"hi\"}", "array")]
    [InlineData("{\"model\":\"m\",\"messages\":[\"hi\"]}", "object")]
    [InlineData("{\"model\":\"m\",\"messages\":[{}],\"stream\":\"yes\"}", "'stream' must be true or false")]
    [InlineData("{\"model\":\"m\",\"messages\":[{}],\"max_tokens\":0}", "'max_tokens' must be")]
    [InlineData("{\"model\":\"m\",\"messages\":[{}],\"max_tokens\":1.5}", "'max_tokens' must be")]
    [InlineData("{\"model\":\"m\",\"messages\":[{}],\"max_tokens\":9223372036854775806}", "from 1 to 1000000000")]
    [InlineData("{\"model\":\"m\",\"messages\":[{}],\"max_completion_tokens\":30744573456182587}", "from 1 to 1000000000")]
    [InlineData("{\"model\":\"m\",\"messages\":[{}],\"metadata\":{\"tf_tier\":\"\\ud800\"}}", "half of a surrogate pair")]
    [InlineData("{\"model\":\"\\ud800\",\"messages\":[{}]}", "half of a surrogate pair")]
    [InlineData("{\"model\":\"m\",\"messages\":[{}],\"n\":129}", "from 1 to 128")]
    [InlineData("{\"model\":\"m\",\"messages\":[{}],\"stream_options\":[]}", "'stream_options' must be an object")]
    public void What_cannot_be_acted_on_is_refused_with_what_to_do(string body, string says)
    {
        var (ask, error) = Read(body);

        Assert.Null(ask);
        Assert.Equal(400, error!.Status);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"model\":\"a\",\"messages\":[{}],\"model\":\"b\"}")]
    [InlineData("{\"model\":\"a\",\"messages\":[{}],\"mo\\u0064el\":\"b\"}")]
    [InlineData("{\"model\":\"a\",\"messages\":[{}],\"messages\":[{}]}")]
    [InlineData("{\"model\":\"a\",\"messages\":[{}],\"stream\":true,\"stream\":false}")]
    [InlineData("{\"model\":\"a\",\"messages\":[{}],\"stream_options\":{\"include_usage\":true,\"include_usage\":false}}")]
    public void P4_what_two_readers_could_read_differently_is_refused(string body) =>
        Assert.Contains("more than once", Read(body).Error!.Message, StringComparison.Ordinal);

    [Fact]
    public void P10_a_depth_bomb_is_refused_and_says_how_deep_is_allowed()
    {
        var bomb = "{\"model\":\"m\",\"messages\":[{\"content\":" + new string('[', 10_000) + new string(']', 10_000) + "}]}";

        Assert.Contains("deeper than 64", Read(bomb).Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Invalid_UTF8_is_refused()
    {
        byte[] body = [.. "{\"model\":\"m\",\"messages\":[{\"content\":\""u8, 0xC3, 0x28, .. "\"}]}"u8];

        Assert.Equal("invalid_utf8", Read(body, Operations.Chat).Error!.Label);
    }

    [Fact]
    public void Malformed_JSON_names_its_place() =>
        Assert.Contains("line 2, byte 3", Read("{\"model\":\"m\",\n  oops}").Error!.Message, StringComparison.Ordinal);

    private static Ask Ask(string body, Operations operation = Operations.Chat)
    {
        var (ask, error) = Read(Encoding.UTF8.GetBytes(body), operation);
        Assert.Null(error);
        return ask!;
    }

    private static (Ask? Ask, GatewayError? Error) Read(string body) => Read(Encoding.UTF8.GetBytes(body), Operations.Chat);

    private static (Ask? Ask, GatewayError? Error) Read(byte[] bytes, Operations operation, Dialect dialect = Dialect.OpenAi, bool countsOnly = false)
    {
        var body = new PooledBody(new BodyBudget(long.MaxValue), bytes.Length);
        for (var at = 0; at < bytes.Length;)
        {
            var free = body.Free();
            var taken = Math.Min(free.Length, bytes.Length - at);
            bytes.AsMemory(at, taken).CopyTo(free);
            body.Advance(taken);
            at += taken;
        }

        return AskReader.Read(body, operation, maxDepth: 64, dialect, countsOnly);
    }
}
