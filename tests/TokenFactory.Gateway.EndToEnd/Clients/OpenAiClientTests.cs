using System.ClientModel;
using System.Text;
using System.Text.Json;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Embeddings;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Clients;

/// <summary>An unmodified NuGet OpenAI client, pointed at the gateway in front of a backend of either kind.</summary>
public sealed class OpenAiClientTests(ClientSites sites) : IClassFixture<ClientSites>
{
    private static readonly ChatTool _lookup = ChatTool.CreateFunctionTool("lookup", "looks something up", BinaryData.FromString("""{"type":"object","properties":{"text":{"type":"string"}}}"""));

    public static TheoryData<string> Kinds => ClientSites.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Chat_answers_with_text_and_the_backends_own_usage(string kind)
    {
        var site = sites[kind].Fresh();

        ChatCompletion answer = await Chat(site).CompleteChatAsync([new SystemChatMessage("be brief"), new UserChatMessage("alpha beta gamma")]);

        var books = await site.BooksAsync();
        Assert.Equal(("Echo alpha beta gamma", ChatFinishReason.Stop), (answer.Content[0].Text, answer.FinishReason));
        Assert.Equal((5, books.CompletionTokens), (answer.Usage.InputTokenCount, answer.Usage.OutputTokenCount));
        Assert.Equal(books.PromptTokens, answer.Usage.InputTokenCount);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Chat_streams_every_word_and_the_usage_the_client_asks_for(string kind)
    {
        var site = sites[kind].Fresh();

        var streamed = await StreamAsync(site, [new UserChatMessage("alpha beta gamma")]);

        var books = await site.BooksAsync();
        Assert.Equal(("Echo alpha beta gamma", ChatFinishReason.Stop), (streamed.Text, streamed.Finish));
        Assert.Equal((books.PromptTokens, books.CompletionTokens), (streamed.Usage?.InputTokenCount, streamed.Usage?.OutputTokenCount));
        Assert.True(books.Ask.Stream);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Letters_of_all_alphabets_arrive_streamed_and_not_however_the_bytes_are_cut(string kind)
    {
        var site = sites[kind].Fresh(_ => "Grüße, 東京! 🚀 \"quoted\" back\\slash");
        site.Upstream.Next(Script.Stream().SplitAtEveryByte(), Script.Stream().Escaped());

        var (split, escaped) = (await StreamAsync(site, [new UserChatMessage("a")]), await StreamAsync(site, [new UserChatMessage("a")]));
        ChatCompletion whole = await Chat(site).CompleteChatAsync("Wie geht's, 世界? 🌍");

        Assert.All([split.Text, escaped.Text, whole.Content[0].Text], text => Assert.Equal("Grüße, 東京! 🚀 \"quoted\" back\\slash", text));
        Assert.Equal("Wie geht's, 世界? 🌍", (await site.BooksAsync()).Ask.LastUserText);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Tools_are_called_streamed_and_not_and_their_results_understood(string kind)
    {
        var site = sites[kind].Fresh(ask => $"It said {ask.ToolResult}");
        var must = new ChatCompletionOptions { Tools = { _lookup }, ToolChoice = ChatToolChoice.CreateRequiredChoice() };

        ChatCompletion answer = await Chat(site).CompleteChatAsync([new UserChatMessage("find \"é\" please")], must);
        var streamed = await StreamAsync(site, [new UserChatMessage("find \"é\" please")], must);
        ChatCompletion second = await Chat(site).CompleteChatAsync(
            [new UserChatMessage("find \"é\" please"), new AssistantChatMessage(answer), new ToolChatMessage(answer.ToolCalls[0].Id, "forty two")],
            new ChatCompletionOptions { Tools = { _lookup } });

        var call = Assert.Single(answer.ToolCalls);
        Assert.Equal(("lookup", "find \"é\" please", ChatFinishReason.ToolCalls), (call.FunctionName, TextOf(call.FunctionArguments.ToString()), answer.FinishReason));
        Assert.Equal(("lookup", "find \"é\" please", ChatFinishReason.ToolCalls), (Assert.Single(streamed.Calls).Name, TextOf(streamed.Calls[0].Arguments.ToString()), streamed.Finish));
        Assert.Equal(("It said forty two", ChatFinishReason.Stop), (second.Content[0].Text, second.FinishReason));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Several_calls_of_a_message_keep_their_order_and_their_inputs(bool stream)
    {
        var site = sites[ClientSites.Anthropic].Fresh().Plays("MessageTwoTools");

        var calls = stream
            ? (await StreamAsync(site, [new UserChatMessage("a")])).Calls.Select(call => (call.Name, call.Arguments.ToString())).ToList()
            : (await Chat(site).CompleteChatAsync("a")).Value.ToolCalls.Select(call => (Name: call.FunctionName, call.FunctionArguments.ToString())).ToList();

        Assert.Equal(["lookup", "now"], calls.Select(call => call.Name));
        Assert.Equal("café \"x\"", TextOf(calls[0].Item2));
        Assert.Equal("{}", calls[1].Item2.Replace(" ", "", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Thoughts_of_a_message_are_not_told_as_its_text(bool stream)
    {
        var site = sites[ClientSites.Anthropic].Fresh().Plays("MessageThinking");

        var (text, finish) = stream
            ? await StreamAsync(site, [new UserChatMessage("a")]) is var streamed ? (streamed.Text, streamed.Finish) : default
            : await Chat(site).CompleteChatAsync("a") is { Value: var answer } ? (answer.Content[0].Text, answer.FinishReason) : default;

        Assert.Equal(("Echo one", ChatFinishReason.Stop), (text, finish));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_limit_and_an_image_reach_the_backend_in_its_own_dialect(string kind)
    {
        var site = sites[kind].Fresh();
        var image = ChatMessageContentPart.CreateImagePart(BinaryData.FromBytes("not really a png"u8.ToArray()), "image/png");

        ChatCompletion answer = await Chat(site).CompleteChatAsync([new UserChatMessage(ChatMessageContentPart.CreateTextPart("alpha beta gamma"), image)], new ChatCompletionOptions { MaxOutputTokenCount = 2 });

        var books = await site.BooksAsync();
        Assert.Equal(("Echo alpha", ChatFinishReason.Length), (answer.Content[0].Text, answer.FinishReason));
        Assert.Equal(2, books.Ask.MaxTokens);
        var data = Convert.ToBase64String("not really a png"u8);
        Assert.Contains(kind == ClientSites.Anthropic ? $"\"data\":\"{data}\"" : $"data:image/png;base64,{data}", Encoding.UTF8.GetString(books.Body.Span), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ClientSites.OpenAi, 0)]
    [InlineData(ClientSites.Anthropic, 30)]
    public async Task What_a_cache_had_is_a_part_of_the_prompt_streamed_and_not(string kind, int written)
    {
        var site = sites[kind].Fresh();
        site.Upstream.Next(Script.Answer().WithUsage(100, 7, cached: 60, reasoning: 2, cacheWritten: written), Script.Stream().WithUsage(100, 7, cached: 60, reasoning: 2, cacheWritten: written));

        ChatCompletion answer = await Chat(site).CompleteChatAsync("a");
        var streamed = await StreamAsync(site, [new UserChatMessage("a")]);

        Assert.All([answer.Usage, streamed.Usage!], usage => Assert.Equal((100, 60, 7), (usage.InputTokenCount, usage.InputTokenDetails.CachedTokenCount, usage.OutputTokenCount)));
    }

    [Fact]
    public async Task Embeddings_come_in_batches_and_in_the_asked_dimensions()
    {
        var client = Client(sites[ClientSites.OpenAi].Fresh()).GetEmbeddingClient(ClientSite.Model);

        OpenAIEmbeddingCollection answer = await client.GenerateEmbeddingsAsync(["one", "two words"], new EmbeddingGenerationOptions { Dimensions = 16 });

        Assert.Equal(2, answer.Count);
        Assert.All(answer, embedding => Assert.Equal(16, embedding.ToFloats().Length));
    }

    [Theory]
    [InlineData(ClientSites.OpenAi, "TooManyRequests", 429, "rate_limit_exceeded")]
    [InlineData(ClientSites.OpenAi, "BadRequestOfVllm", 400, "context_length_exceeded")]
    [InlineData(ClientSites.OpenAi, "UnauthorizedAsString", 502, "upstream_error")]
    [InlineData(ClientSites.OpenAi, "ServerError", 502, "upstream_error")]
    [InlineData(ClientSites.OpenAi, "LoadingOfLlamaCpp", 503, "server_is_overloaded")]
    [InlineData(ClientSites.Anthropic, "MessageTooMany", 429, "rate_limit_exceeded")]
    [InlineData(ClientSites.Anthropic, "MessageBadRequest", 400, "prompt is too long")]
    [InlineData(ClientSites.Anthropic, "MessageUnauthorized", 502, "upstream_error")]
    [InlineData(ClientSites.Anthropic, "MessageServerError", 502, "upstream_error")]
    [InlineData(ClientSites.Anthropic, "MessageOverloaded", 503, "server_is_overloaded")]
    public async Task A_backends_refusal_has_the_status_and_the_code_the_client_acts_on(string kind, string script, int status, string says)
    {
        var whole = await Assert.ThrowsAsync<ClientResultException>(() => Chat(sites[kind].Fresh().Plays(script)).CompleteChatAsync("hi"));
        var streamed = await Assert.ThrowsAsync<ClientResultException>(() => StreamAsync(sites[kind].Fresh().Plays(script), [new UserChatMessage("hi")]));

        Assert.Equal((status, status), (whole.Status, streamed.Status));
        Assert.Contains(says, whole.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Errors_say_what_to_do_in_the_shape_the_client_reads(string kind)
    {
        var unknownModel = await Assert.ThrowsAsync<ClientResultException>(() => Client(sites[kind]).GetChatClient("no-such-model").CompleteChatAsync("hi"));
        var unknownKey = await Assert.ThrowsAsync<ClientResultException>(() => Client(sites[kind], "sk-not-a-key-of-this-gateway").GetChatClient(ClientSite.Model).CompleteChatAsync("hi"));

        Assert.Equal(404, unknownModel.Status);
        Assert.Contains("model_not_found", unknownModel.Message, StringComparison.Ordinal);
        Assert.Equal(401, unknownKey.Status);
        Assert.Contains("invalid_api_key", unknownKey.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ClientSites.OpenAi, "FinMidway")]
    [InlineData(ClientSites.OpenAi, "ResetMidway")]
    [InlineData(ClientSites.OpenAi, "EndsMidway")]
    [InlineData(ClientSites.OpenAi, "ErrorFrameThenDone")]
    [InlineData(ClientSites.Anthropic, "MessageFinMidway")]
    [InlineData(ClientSites.Anthropic, "MessageResetMidway")]
    [InlineData(ClientSites.Anthropic, "MessageEndsMidway")]
    [InlineData(ClientSites.Anthropic, "MessageFinInsideEvent")]
    [InlineData(ClientSites.Anthropic, "MessageWithoutDelta")]
    [InlineData(ClientSites.Anthropic, "MessageErrorMidway")]
    public async Task P7_a_stream_cut_by_the_backend_is_noticed_by_the_client(string kind, string script)
    {
        var site = sites[kind].Fresh().Plays(script);

        await Assert.ThrowsAnyAsync<Exception>(() => StreamAsync(site, [new UserChatMessage("alpha beta gamma")]));

        Assert.Equal(script, (await site.BooksAsync()).Script);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Models_are_listed_and_found(string kind)
    {
        var models = Client(sites[kind]).GetOpenAIModelClient();

        Assert.Equal([ClientSite.Model, "loopback"], (await models.GetModelsAsync()).Value.Select(model => model.Id));
        Assert.Equal(ClientSite.Model, (await models.GetModelAsync(ClientSite.Model)).Value.Id);
    }

    private static async Task<StreamedChat> StreamAsync(ClientSite site, ChatMessage[] messages, ChatCompletionOptions? options = null)
        => await StreamedChat.ReadAsync(Chat(site).CompleteChatStreamingAsync(messages, options));

    private static string? TextOf(string arguments) => JsonDocument.Parse(arguments).RootElement.GetProperty("text").GetString();

    private static ChatClient Chat(ClientSite site) => Client(site).GetChatClient(ClientSite.Model);

    private static OpenAIClient Client(ClientSite site, string? key = null) =>
        new(new ApiKeyCredential(key ?? site.Gateway.Key), new OpenAIClientOptions { Endpoint = site.Gateway.ApiUrl, RetryPolicy = new System.ClientModel.Primitives.ClientRetryPolicy(0) });
}
