using System.Text;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Tokenizer;
using Xunit;

namespace TokenFactory.Inference.Tests.Intake;

/// <summary>A request of Responses is read whole: what bounds it, what it goes on from, and everything that must not pass, wherever it stands.</summary>
public sealed class ResponsesAskTests
{
    [Fact]
    public void It_reads_what_the_gateway_acts_on()
    {
        const string Body = """{"model":"m","stream":true,"max_output_tokens":7,"max_tokens":9,"n":3,"instructions":"Be brief.","input":"hello","previous_response_id":"resp_1","metadata":{"tf_use_case":"x"}}""";
        var ask = Read(Body).Ask!;

        Assert.Equal((true, 7L, 1, "resp_1"), (ask.Stream, ask.MaxOutputTokens, ask.Choices, ask.PreviousResponseId));
        Assert.Equal("\"resp_1\"", Body[ask.PreviousRange]);
        Assert.Equal("Be brief.".Length + "hello".Length, ask.InputBytes);
        Assert.Equal("input", ask.InputParam);
    }

    [Theory]
    [InlineData("\"hello there\"")]
    [InlineData("""[{"role":"user","content":"hello there"},{"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":1}"},{"type":"function_call_output","call_id":"c","output":"some \u00fc text"}]""")]
    [InlineData("""[{"role":"assistant","content":[{"type":"output_text","text":"a","annotations":[{"type":"file_citation","file_id":"file_1","filename":"long name of a file"}]}]},{"role":"user","content":[{"type":"input_text","text":"b"}]}]""")]
    public void What_is_counted_is_never_more_than_what_bounds_it(string input)
    {
        var ask = Read($$$"""{"model":"m","instructions":"Be very brief.","text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"} } },"tools":[{"type":"function","name":"f","parameters":{"type":"object"}}],"input":{{{input}}}}""").Ask!;
        var bound = ask.InputBound;

        Assert.InRange(ask.CountInput(), ask.OverheadTokens + 20, bound);
        Assert.True(InputCounter.Count(ask, TokenEncoding.O200kBase) > ask.OverheadTokens);
    }

    [Theory]
    [InlineData("\"container\":[")]
    [InlineData("\"container\":[{\"a\":1}")]
    [InlineData("\"environment\":{\"type\":[")]
    [InlineData("\"parameters\":[[")]
    public void Nothing_hides_behind_a_member_of_a_tool_that_is_not_what_it_should_be(string member)
    {
        // Each closes what the member opens; then comes what must be seen.
        var closing = string.Concat(member.Reverse().Where(c => c is '[' or '{').Select(c => c == '[' ? ']' : '}'));
        closing = member.Contains("{\"a\":1}", StringComparison.Ordinal) ? "]" : closing;
        var body = $$"""{"model":"m","input":"x","tools":[{"type":"function",{{member}}{{closing}},"name":"f"},{"type":"mcp","server_url":"https://elsewhere.example"}]}""";

        Assert.Equal("tools[1]", Read(body).Error!.Param);
        Assert.Equal("background", Read(body.Replace(",{\"type\":\"mcp\",\"server_url\":\"https://elsewhere.example\"}]", "],\"background\":true", StringComparison.Ordinal)).Error!.Param);
    }

    [Theory]
    [InlineData("\"background\":true", "background")]
    [InlineData("\"background\":false,\"background\":true", "background")]
    [InlineData("\"background\":1", "background")]
    [InlineData("\"conversation\":{\"id\":\"c\"}", "conversation")]
    [InlineData("\"prompt\":{\"id\":\"p\"}", "prompt")]
    [InlineData("\"previous_response_id\":7", "previous_response_id")]
    [InlineData("\"previous_response_id\":\"a\",\"previous_response_id\":\"b\"", "previous_response_id")]
    [InlineData("\"instructions\":[]", "instructions")]
    [InlineData("\"max_output_tokens\":0", "max_output_tokens")]
    [InlineData("\"tools\":{}", "tools")]
    [InlineData("\"tools\":[],\"tools\":[]", "tools")]
    [InlineData("\"tools\":[7]", "tools[0]")]
    [InlineData("\"tools\":[{}]", "tools[0].type")]
    [InlineData("\"tools\":[{\"type\":\"function\",\"type\":\"mcp\"}]", "tools[0].type")]
    [InlineData("\"tools\":[{\"type\":\"\\u006dcp\"}]", "tools[0]")]
    [InlineData("\"tools\":[{\"type\":\"shell\",\"environment\":{\"type\":\"container_reference\",\"container_id\":\"c\"}}]", "tools[0]")]
    public void What_must_not_pass_is_named(string member, string param) =>
        Assert.Equal(param, Read($"{{\"model\":\"m\",\"input\":\"x\",{member}}}").Error!.Param);

    [Theory]
    [InlineData("7", "input")]
    [InlineData("[7]", "input[0]")]
    [InlineData("[{\"role\":\"user\",\"content\":\"x\"},{\"type\":\"item_reference\",\"id\":\"a\"}]", "input[1]")]
    [InlineData("[{\"type\":\"item\\u005freference\",\"id\":\"a\"}]", "input[0]")]
    [InlineData("[{\"id\":\"a\"}]", "input[0]")]
    [InlineData("[{\"type\":null,\"id\":\"msg_1\"}]", "input[0]")]
    [InlineData("[{\"role\":null,\"id\":\"msg_1\"}]", "input[0]")]
    [InlineData("[{\"type\":\"reasoning\",\"id\":\"rs_1\",\"summary\":[]}]", "input[0]")]
    [InlineData("[{\"type\":\"reasoning\",\"id\":\"rs_1\",\"summary\":[],\"encrypted_content\":null}]", "input[0]")]
    [InlineData("[{\"type\":\"code_interpreter_call\",\"container_id\":\"cntr_1\",\"code\":\"1\"}]", "input[0]")]
    [InlineData("[{\"type\":\"image_generation_call\",\"id\":\"ig_1\"}]", "input[0]")]
    [InlineData("[{\"type\":\"shell_call\",\"environment\":{\"type\":\"container_reference\",\"container_id\":\"c\"}}]", "input[0]")]
    [InlineData("[{\"role\":\"user\",\"content\":\"x\",\"file_id\":\"f\"}]", "input[0]")]
    [InlineData("[{\"type\":\"tool_search_output\",\"tools\":[{\"type\":\"mcp\"}]}]", "input[0]")]
    [InlineData("[{\"type\":\"computer_call_output\",\"output\":{\"type\":\"computer_screenshot\",\"file_id\":\"f\"}}]", "input[0]")]
    [InlineData("[{\"role\":\"user\",\"content\":[{\"type\":\"input_image\",\"image_url\":null,\"file\\u005fid\":\"f\"}]}]", "input[0]")]
    public void Input_that_names_what_a_vendor_keeps_is_refused(string input, string param) =>
        Assert.Equal(param, Read($"{{\"model\":\"m\",\"input\":{input}}}").Error!.Param);

    [Fact]
    public void Input_may_be_absent_only_where_a_conversation_goes_on()
    {
        Assert.Equal("input", Read("""{"model":"m"}""").Error!.Param);
        Assert.Null(Read("""{"model":"m","previous_response_id":"resp_1"}""").Error);
    }

    private static (Ask? Ask, GatewayError? Error) Read(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var body = new PooledBody(new BodyBudget(long.MaxValue), bytes.Length);
        for (var at = 0; at < bytes.Length;)
        {
            var free = body.Free();
            var taken = Math.Min(free.Length, bytes.Length - at);
            bytes.AsMemory(at, taken).CopyTo(free);
            body.Advance(taken);
            at += taken;
        }

        return AskReader.Read(body, Operations.Responses, maxDepth: 64, Dialect.Responses);
    }
}
