using System.Text;
using TokenFactory.Inference.Dialects;
using TokenFactory.Storage.Ledger;
using Xunit;

namespace TokenFactory.Inference.Tests.Metering.Scanning;

public sealed class ReportedUsageTests
{
    [Fact]
    public void P3_cached_and_written_tokens_lie_inside_the_prompt()
    {
        var usage = Parse("""{"prompt_tokens":100,"completion_tokens":20,"prompt_tokens_details":{"audio_tokens":0,"cached_tokens":30,"cache_write_tokens":10},"completion_tokens_details":{"reasoning_tokens":5}}""");

        Assert.Equal(new TokenUsage(60, 30, 10, 20, 5), usage!.Value.ToDisjoint());
        Assert.Equal(120, usage.Value.ToDisjoint().Total);
    }

    [Theory]
    [InlineData("""{"prompt_tokens":10,"prompt_tokens_details":{"cached_tokens":99,"cache_write_tokens":7}}""", 0, 10, 0, 0, 0)]
    [InlineData("""{"prompt_tokens":10,"completion_tokens":3,"reasoning_tokens":9}""", 10, 0, 0, 3, 3)]
    [InlineData("""{"prompt_tokens":10,"prompt_cache_hit_tokens":4,"prompt_cache_miss_tokens":6}""", 6, 4, 0, 0, 0)]
    [InlineData("""{"prompt_tokens":10,"prompt_tokens_details":{"cached_tokens":-5}}""", 10, 0, 0, 0, 0)]
    public void P3_a_part_is_never_larger_than_its_whole(string json, long input, long read, long write, long output, long reasoning) =>
        Assert.Equal(new TokenUsage(input, read, write, output, reasoning), Parse(json)!.Value.ToDisjoint());

    [Theory]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("1e40")]
    [InlineData("2147483648")]
    [InlineData("99999999999999999999")]
    [InlineData("\"12\"")]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("{\"a\":1}")]
    public void P3_what_is_no_count_is_not_reported(string number)
    {
        var usage = Parse($$"""{"prompt_tokens":{{number}},"completion_tokens":2.0}""");

        Assert.Equal(new ReportedUsage(null, 2, null, null, null), usage);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("")]
    [InlineData("""{"prompt_tokens":1""")]
    [InlineData("""{"total_tokens":7,"x":[{}]}""")]
    public void P3_a_usage_that_says_nothing_is_missing(string json) => Assert.Null(Parse(json));

    [Fact]
    public void P3_zero_is_said_and_missing_is_not()
    {
        var usage = Parse("""{"prompt_tokens":0}""");

        Assert.Equal(0, usage!.Value.PromptTokens);
        Assert.Null(usage.Value.CompletionTokens);
    }

    private static ReportedUsage? Parse(string json) => ReportedUsage.Parse(Encoding.UTF8.GetBytes(json));
}
