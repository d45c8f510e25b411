using System.ClientModel;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Embeddings;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.TestKit.Tests;

/// <summary>An unmodified SDK takes the upstream for the real thing.</summary>
public sealed class OpenAIClientTests : IAsyncLifetime
{
    private static readonly ChatTool _lookup = ChatTool.CreateFunctionTool("lookup", "Looks up", BinaryData.FromString("""{"type":"object","properties":{"text":{"type":"string"}}}"""));
    private FakeUpstream _upstream = null!;
    private OpenAIClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _upstream = await FakeUpstream.StartAsync();
        _client = new OpenAIClient(new ApiKeyCredential("any"), new OpenAIClientOptions { Endpoint = _upstream.BaseUrl });
    }

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    [Fact]
    public async Task A_chat_is_answered()
    {
        ChatCompletion answer = await _client.GetChatClient("m").CompleteChatAsync([new UserChatMessage("tag1 two")], cancellationToken: Limit());

        Assert.Equal("Echo tag1 two", answer.Content[0].Text);
        Assert.Equal((2, 3, ChatFinishReason.Stop), (answer.Usage.InputTokenCount, answer.Usage.OutputTokenCount, answer.FinishReason));
    }

    [Fact]
    public async Task A_chat_is_streamed_with_its_usage()
    {
        var (text, usage) = ("", (ChatTokenUsage?)null);
        await foreach (var update in _client.GetChatClient("m").CompleteChatStreamingAsync([new UserChatMessage("tag1 two")], cancellationToken: Limit()))
        {
            text += string.Concat(update.ContentUpdate.Select(part => part.Text));
            usage = update.Usage ?? usage;
        }

        Assert.Equal("Echo tag1 two", text);
        Assert.Equal((2, 3), (usage!.InputTokenCount, usage.OutputTokenCount));
    }

    [Fact]
    public async Task A_tool_is_called()
    {
        var options = new ChatCompletionOptions { Tools = { _lookup } };
        ChatCompletion answer = await _client.GetChatClient("m").CompleteChatAsync([new UserChatMessage("please call the tool")], options, Limit());

        var call = Assert.Single(answer.ToolCalls);
        Assert.Equal(("lookup", ChatFinishReason.ToolCalls), (call.FunctionName, answer.FinishReason));
        Assert.Equal("""{"text": "please call the tool"}""", call.FunctionArguments.ToString());
    }

    [Fact]
    public async Task A_tool_call_is_streamed_in_fragments()
    {
        var options = new ChatCompletionOptions { Tools = { _lookup }, ToolChoice = ChatToolChoice.CreateRequiredChoice() };
        var (name, arguments, fragments) = ("", "", 0);
        await foreach (var update in _client.GetChatClient("m").CompleteChatStreamingAsync([new UserChatMessage("go on")], options, Limit()))
        {
            foreach (var call in update.ToolCallUpdates)
            {
                name += call.FunctionName;
                arguments += call.FunctionArgumentsUpdate.ToMemory().IsEmpty ? "" : call.FunctionArgumentsUpdate.ToString();
                fragments++;
            }
        }

        Assert.Equal(("lookup", """{"text": "go on"}"""), (name, arguments));
        Assert.True(fragments > 2);
    }

    [Fact]
    public async Task Embeddings_are_of_the_asked_size_and_depend_on_their_text()
    {
        OpenAIEmbeddingCollection vectors = await _client.GetEmbeddingClient("m").GenerateEmbeddingsAsync(["one two", "three", "one two"], new EmbeddingGenerationOptions { Dimensions = 16 }, Limit());

        Assert.Equal(3, vectors.Usage.InputTokenCount - 2);
        Assert.Equal(16, vectors[0].ToFloats().Length);
        Assert.Equal(vectors[0].ToFloats().ToArray(), vectors[2].ToFloats().ToArray());
        Assert.NotEqual(vectors[0].ToFloats().ToArray(), vectors[1].ToFloats().ToArray());
        Assert.True(_upstream.Requests[0].Ask.Base64);
    }

    private static CancellationToken Limit() => new CancellationTokenSource(TimeSpan.FromSeconds(20)).Token;
}
