using System.Text;
using TokenFactory.Inference.Dispatch.Replicas;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.ReadModel;
using Xunit;

namespace TokenFactory.Inference.Tests.Dispatch.Replicas;

public sealed class PromptPrefixTests
{
    private const string System = """{"role":"system","content":"You are terse."}""";
    private const string First = """{"role":"user","content":"Who wrote Faust?"}""";

    private static readonly ulong _conversation = Of($$"""{"model":"m","messages":[{{System}},{{First}}]}""")!.Value;

    [Fact]
    public void A_conversation_keeps_its_prefix_from_turn_to_turn_whatever_else_is_sent()
    {
        Assert.Equal(_conversation, Of($$"""{"messages":[{{System}},{{First}},{"role":"assistant","content":"Goethe"},{"role":"user","content":"When?"}],"model":"other","stream":true}"""));
        Assert.Equal(_conversation, Of($$"""{"messages" : [ {{System}} , {{First}} ],"tools":[{"x":[1,{"messages":2}]}]}"""));
    }

    [Theory]
    [InlineData("""{"messages":[{"role":"user","content":"Who wrote Faust?"}]}""")]
    [InlineData("""{"messages":[{"role":"system","content":"You are verbose."},{"role":"user","content":"Who wrote Faust?"}]}""")]
    [InlineData("""{"messages":[{"role":"system","content":"You are terse."},{"role":"user","content":"Who wrote Egmont?"}]}""")]
    public void Another_beginning_is_another_prefix(string body) => Assert.NotEqual(_conversation, Of(body));

    [Fact]
    public void P9_The_same_words_of_another_tenant_are_another_prefix() =>
        Assert.NotEqual(_conversation, Of($$"""{"model":"m","messages":[{{System}},{{First}}]}""", "globex"));

    [Fact]
    public void Only_the_beginning_counts()
    {
        var (shared, end) = (new string('x', PromptPrefix.BlockBytes), $$"""{{First}}]}""");
        Assert.Equal(
            Of($$"""{"messages":[{"role":"system","content":"{{shared}}one"},{{end}}"""),
            Of($$"""{"messages":[{"role":"system","content":"{{shared}}another"},{{end}}"""));
    }

    [Fact]
    public void Completions_and_messages_of_Anthropics_have_one_too()
    {
        Assert.Equal(Of("""{"prompt":"Once upon","model":"m"}""", operation: Operations.Completions), Of("""{"model":"m","prompt":"Once upon","max_tokens":1}""", operation: Operations.Completions));
        Assert.NotEqual(Of("""{"prompt":"Once upon"}""", operation: Operations.Completions), Of("""{"prompt":"Twice upon"}""", operation: Operations.Completions));
        foreach (var (one, other) in (ReadOnlySpan<(string, string)>)[($$"""{"system":"a","messages":[{{First}}]}""", $$"""{"system":"b","messages":[{{First}}]}"""), ($$"""{"messages":[{{First}}],"system":"a"}""", $$"""{"messages":[{{First}}],"system":"b"}""")])
        {
            Assert.NotEqual(Of(one, dialect: Dialect.Anthropic), Of(other, dialect: Dialect.Anthropic));
        }

        Assert.Equal(Of($$"""{"messages":[{{First}}],"system":"a"}""", dialect: Dialect.Anthropic), Of($$"""{"messages":[{{First}},{"role":"assistant","content":"Goethe"}],"max_tokens":1,"system":"a"}""", dialect: Dialect.Anthropic));
    }

    [Fact]
    public void A_response_has_its_instructions_and_the_users_first_item_in_whichever_order()
    {
        var turn = Of($$"""{"input":[{{First}}],"instructions":"a"}""", operation: Operations.Responses);

        Assert.NotNull(turn);
        Assert.Equal(turn, Of($$"""{"input":[{{First}},{"role":"assistant","content":"Goethe"},{"role":"user","content":"When?"}],"instructions":"a"}""", operation: Operations.Responses));
        Assert.NotEqual(turn, Of($$"""{"input":[{{First}}],"instructions":"b"}""", operation: Operations.Responses));
        Assert.NotEqual(turn, Of("""{"input":[{"role":"user","content":"Who?"}],"instructions":"a"}""", operation: Operations.Responses));
        Assert.NotEqual(Of("""{"input":"one"}""", operation: Operations.Responses), Of("""{"input":"two"}""", operation: Operations.Responses));
    }

    [Theory]
    [InlineData("""{"input":"text"}""", Operations.Embeddings)]
    [InlineData("""{"input":"text"}""", Operations.Moderations)]
    [InlineData("""{"model":"m"}""", Operations.Chat)]
    [InlineData("""{"messages":[]}""", Operations.Chat)]
    [InlineData("""{"messages":[""", Operations.Chat)]
    public void What_has_no_prompt_has_none(string body, Operations operation) => Assert.Null(Of(body, operation: operation));

    private static ulong? Of(string body, string tenant = "acme", Operations operation = Operations.Chat, Dialect dialect = Dialect.OpenAi)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        using var pooled = new PooledBody(new BodyBudget(1 << 20), bytes.Length);
        bytes.CopyTo(pooled.Free().Span);
        pooled.Advance(bytes.Length);
        return PromptPrefix.Of(new Ask { Operation = operation, Dialect = dialect, Body = pooled, Model = "m", ModelRange = default, InputBytes = 0, OverheadTokens = 0 }, tenant);
    }
}
