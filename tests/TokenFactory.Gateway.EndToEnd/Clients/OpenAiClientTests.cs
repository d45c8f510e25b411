using System.ClientModel;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Embeddings;
using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Clients;

/// <summary>An unmodified NuGet OpenAI client, pointed at the gateway in front of a faithful backend.</summary>
public sealed class OpenAiClientTests : IAsyncLifetime
{
    private const string Model = "fake-model";
    private FakeUpstream _upstream = null!;
    private GatewayProcess _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _upstream = await FakeUpstream.StartAsync();
        _gateway = await GatewayProcess.StartAsync(new GatewayOptions { Upstream = _upstream.BaseUrl });
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task Chat_answers_with_text_and_usage()
    {
        ChatCompletion answer = await Chat().CompleteChatAsync("alpha beta gamma");

        Assert.Contains("alpha beta gamma", answer.Content[0].Text, StringComparison.Ordinal);
        Assert.Equal(ChatFinishReason.Stop, answer.FinishReason);
        Assert.Equal(_upstream.Totals.CompletionTokens, answer.Usage.OutputTokenCount);
    }

    [Fact]
    public async Task Chat_streams_every_word_and_the_usage_the_client_asks_for()
    {
        var text = "";
        ChatTokenUsage? usage = null;
        await foreach (var update in Chat().CompleteChatStreamingAsync("alpha beta gamma"))
        {
            text += string.Concat(update.ContentUpdate.Select(part => part.Text));
            usage = update.Usage ?? usage;
        }

        Assert.Contains("alpha beta gamma", text, StringComparison.Ordinal);
        Assert.Equal(_upstream.Totals.CompletionTokens, usage!.OutputTokenCount);
    }

    [Fact]
    public async Task Tools_are_called_streamed_and_not()
    {
        var options = new ChatCompletionOptions { ToolChoice = ChatToolChoice.CreateRequiredChoice() };
        options.Tools.Add(ChatTool.CreateFunctionTool("lookup", "looks something up", BinaryData.FromString("""{"type":"object","properties":{"text":{"type":"string"}}}""")));

        ChatCompletion answer = await Chat().CompleteChatAsync([new UserChatMessage("call the tool")], options);
        var streamed = "";
        await foreach (var update in Chat().CompleteChatStreamingAsync([new UserChatMessage("call the tool")], options))
        {
            streamed += string.Concat(update.ToolCallUpdates.Select(call => call.FunctionName));
        }

        Assert.Equal("lookup", Assert.Single(answer.ToolCalls).FunctionName);
        Assert.Equal("lookup", streamed);
    }

    [Fact]
    public async Task Embeddings_come_in_batches_and_in_the_asked_dimensions()
    {
        var client = Client().GetEmbeddingClient(Model);

        OpenAIEmbeddingCollection answer = await client.GenerateEmbeddingsAsync(["one", "two words"], new EmbeddingGenerationOptions { Dimensions = 16 });

        Assert.Equal(2, answer.Count);
        Assert.All(answer, embedding => Assert.Equal(16, embedding.ToFloats().Length));
    }

    [Fact]
    public async Task Errors_say_what_to_do_in_the_shape_the_client_reads()
    {
        var unknownModel = await Assert.ThrowsAsync<ClientResultException>(() => Client().GetChatClient("no-such-model").CompleteChatAsync("hi"));
        var unknownKey = await Assert.ThrowsAsync<ClientResultException>(() => Client("sk-not-a-key-of-this-gateway").GetChatClient(Model).CompleteChatAsync("hi"));

        Assert.Equal(404, unknownModel.Status);
        Assert.Contains("model_not_found", unknownModel.Message, StringComparison.Ordinal);
        Assert.Equal(401, unknownKey.Status);
        Assert.Contains("invalid_api_key", unknownKey.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task P7_a_stream_cut_by_the_backend_is_noticed_by_the_client()
    {
        _upstream.Next(Scripts.Get("FinMidway"));

        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await foreach (var _ in Chat().CompleteChatStreamingAsync("alpha beta gamma"))
            {
            }
        });
    }

    [Fact]
    public async Task Models_are_listed_and_found()
    {
        var models = (await Client().GetOpenAIModelClient().GetModelsAsync()).Value.Select(model => model.Id);

        Assert.Equal([Model, "loopback"], models);
        Assert.Equal(Model, (await Client().GetOpenAIModelClient().GetModelAsync(Model)).Value.Id);
    }

    private ChatClient Chat() => Client().GetChatClient(Model);

    private OpenAIClient Client(string? key = null) =>
        new(new ApiKeyCredential(key ?? _gateway.Key), new OpenAIClientOptions { Endpoint = _gateway.ApiUrl, RetryPolicy = new System.ClientModel.Primitives.ClientRetryPolicy(0) });
}
