using System.CommandLine;
using System.Text;
using TokenFactory.Gateway.Commands;
using Xunit;

namespace TokenFactory.Gateway.Tests;

public sealed class TokensCommandTests
{
    [Fact]
    public void Encode_prints_the_ids_of_the_whole_input()
    {
        Assert.Equal((0, "[24912,2375,198]\n", ""), Run("hello world\n", "encode"));
        Assert.Equal((0, "[15339,1917,198]\n", ""), Run("hello world\n", "encode", "--encoding", "cl100k_base"));
        Assert.Equal((0, "[15339,1917,198]\n", ""), Run("hello world\n", "encode", "--model", "gpt-4"));
        Assert.Equal((0, "[]\n", ""), Run("", "encode"));
    }

    [Fact]
    public void Count_prints_the_number_of_tokens_of_the_whole_input()
    {
        Assert.Equal((0, "3\n", ""), Run("hello world\n", "count"));
    }

    [Fact]
    public void Each_json_line_gets_one_result_line()
    {
        var lines = "{\"text\":\"hello world\"}\r\n{\"id\":{\"text\":[1]},\"text\":\"\"}\n{\"t\\u0065xt\":\"hello\\u0020world\"}";
        Assert.Equal((0, "2\n0\n2\n", ""), Run(lines, "count", "--jsonl"));
        Assert.Equal((0, "[24912,2375]\n[]\n[24912,2375]\n", ""), Run(lines, "encode", "--jsonl"));
    }

    [Theory]
    [InlineData("\\ud83d\\ude00", "😀")]
    [InlineData("\\ud83d", "\ufffd")]
    [InlineData("\\ude00\\ud83d", "\ufffd\ufffd")]
    [InlineData("\\ud83dx\\ud83d\\u0041", "\ufffdx\ufffdA")]
    [InlineData("\\n\\t\\r\\b\\f\\/\\\\\\\"", "\n\t\r\b\f/\\\"")]
    [InlineData("na\\u00EFve", "naïve")]
    public void Escapes_are_the_characters_they_stand_for_and_half_a_pair_is_a_replacement(string escaped, string text)
    {
        Assert.Equal(Run(text, "encode"), Run($"{{\"text\":\"{escaped}\"}}", "encode", "--jsonl"));
    }

    [Theory]
    [InlineData("{\"text\":")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"text\":1}")]
    [InlineData("{\"text\":\"a\"} x")]
    [InlineData("{\"text\":\"\\u12\"}")]
    [InlineData("")]
    public void A_line_that_cannot_be_read_is_named_and_ends_the_run(string bad)
    {
        var (code, output, error) = Run($"{{\"text\":\"hello\"}}\n{bad}\n{{\"text\":\"never\"}}\n", "count", "--jsonl");
        Assert.Equal((1, "1\n"), (code, output));
        Assert.StartsWith("Line 2: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_longer_than_any_buffer_is_one_line()
    {
        var (code, output, _) = Run($"{{\"text\":\"{new string('x', 300_000)}\"}}\n{{\"text\":\"hello\"}}", "count", "--jsonl");
        Assert.Equal(0, code);
        Assert.EndsWith("\n1\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_encoding_is_refused_with_the_known_ones()
    {
        var (code, _, error) = Run("", "count", "--encoding", "p50k_base");
        Assert.Equal(1, code);
        Assert.Contains("Unknown encoding 'p50k_base'. Known encodings: o200k_base, cl100k_base.", error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_encoding_and_a_model_together_are_refused()
    {
        Assert.Equal(1, Run("", "count", "--encoding", "o200k_base", "--model", "gpt-4").Code);
    }

    private static (int Code, string Output, string Error) Run(string input, params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var command = TokensCommand.Create(() => new MemoryStream(Encoding.UTF8.GetBytes(input)));
        var code = command.Parse(arguments).Invoke(new InvocationConfiguration { Output = output, Error = error });
        return (code, output.ToString(), error.ToString());
    }
}
