#pragma warning disable OPENAI001 // The library calls its client of Responses experimental.
using System.ClientModel;
using System.Text.Json;
using OpenAI;
using OpenAI.Moderations;
using OpenAI.Responses;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Clients;

/// <summary>The same unmodified NuGet OpenAI client by its newer API, in front of a backend that speaks it, one that chats, and one of Anthropic's.</summary>
public sealed class ResponsesClientTests(ClientSites sites) : IClassFixture<ClientSites>
{
    private static readonly FunctionTool _lookup = ResponseTool.CreateFunctionTool("lookup", BinaryData.FromString("""{"type":"object","properties":{"text":{"type":"string"}}}"""), strictModeEnabled: false);

    public static TheoryData<string> Kinds => ClientSites.ResponseKinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_response_has_text_and_the_backends_own_usage(string kind)
    {
        var site = sites[kind].Fresh();

        ResponseResult answer = await Client(site).CreateResponseAsync(new CreateResponseOptions(ClientSite.Model, [ResponseItem.CreateUserMessageItem("alpha beta gamma")]) { Instructions = "be brief" });

        var books = await site.BooksAsync();
        Assert.Equal(("Echo alpha beta gamma", ResponseStatus.Completed), (answer.GetOutputText(), answer.Status));
        Assert.Equal((5, books.CompletionTokens), (answer.Usage.InputTokenCount, answer.Usage.OutputTokenCount));
        Assert.Equal(books.PromptTokens, answer.Usage.InputTokenCount);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_response_streams_every_word_in_order_and_ends_with_all_of_it(string kind)
    {
        var site = sites[kind].Fresh(_ => "Grüße, 東京! 🚀 \"quoted\" back\\slash");

        var (text, last, numbers) = await StreamAsync(site, [ResponseItem.CreateUserMessageItem("Wie geht's, 世界? 🌍")]);

        var books = await site.BooksAsync();
        Assert.Equal("Grüße, 東京! 🚀 \"quoted\" back\\slash", text);
        Assert.Equal((text, books.PromptTokens, books.CompletionTokens), (last!.GetOutputText(), last.Usage.InputTokenCount, last.Usage.OutputTokenCount));
        Assert.Equal(Enumerable.Range(0, numbers.Count), numbers);
        Assert.Equal("Wie geht's, 世界? 🌍", books.Ask.LastUserText);
        Assert.True(books.Ask.Stream);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Tools_are_called_streamed_and_not_and_their_results_understood(string kind)
    {
        var site = sites[kind].Fresh(ask => $"It said {ask.ToolResult}");
        ResponseItem question = ResponseItem.CreateUserMessageItem("find \"é\" please");

        ResponseResult answer = await Client(site).CreateResponseAsync(Must([question]));
        var (_, streamed, _) = await StreamAsync(site, [question], must: true);
        var call = Assert.IsType<FunctionCallResponseItem>(Assert.Single(answer.OutputItems));
        var options = new CreateResponseOptions(ClientSite.Model, [question, call, ResponseItem.CreateFunctionCallOutputItem(call.CallId, "forty two")]);
        options.Tools.Add(_lookup);
        ResponseResult second = await Client(site).CreateResponseAsync(options);

        Assert.Equal(("lookup", "find \"é\" please"), (call.FunctionName, TextOf(call)));
        var again = Assert.IsType<FunctionCallResponseItem>(Assert.Single(streamed!.OutputItems));
        Assert.Equal(("lookup", "find \"é\" please"), (again.FunctionName, TextOf(again)));
        Assert.Equal("It said forty two", second.GetOutputText());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_bound_on_the_answer_reaches_the_backend_and_what_it_cuts_is_incomplete(string kind)
    {
        var site = sites[kind].Fresh();

        ResponseResult answer = await Client(site).CreateResponseAsync(new CreateResponseOptions(ClientSite.Model, [ResponseItem.CreateUserMessageItem("alpha beta gamma")]) { MaxOutputTokenCount = 2 });

        Assert.Equal(("Echo alpha", ResponseStatus.Incomplete), (answer.GetOutputText(), answer.Status));
        Assert.Equal(ResponseIncompleteStatusReason.MaxOutputTokens, answer.IncompleteStatusDetails?.Reason);
        Assert.Equal(2, (await site.BooksAsync()).Ask.MaxTokens);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_conversation_goes_on_where_somebody_keeps_it_and_is_refused_where_nobody_does(string kind)
    {
        var site = sites[kind].Fresh();
        ResponseResult first = await Client(site).CreateResponseAsync(ClientSite.Model, "alpha");

        if (kind == ClientSites.Responses)
        {
            ResponseResult second = await Client(site).CreateResponseAsync(ClientSite.Model, "beta gamma", first.Id);

            Assert.Equal((first.Id, 3), (second.PreviousResponseId, second.Usage.InputTokenCount));
            Assert.NotEqual(first.Id, second.Id);
            Assert.NotEqual(first.Id, (await site.BooksAsync()).Ask.PreviousResponseId);
            return;
        }

        var refused = await Assert.ThrowsAsync<ClientResultException>(() => Client(site).CreateResponseAsync(ClientSite.Model, "beta gamma", first.Id));
        Assert.Equal(400, refused.Status);
        Assert.Contains("unsupported_parameter", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_kept_response_is_shown_listed_and_deleted()
    {
        var client = Client(sites[ClientSites.Responses].Fresh());
        ResponseResult given = await client.CreateResponseAsync(ClientSite.Model, "alpha beta gamma");

        ResponseResult shown = await client.GetResponseAsync(given.Id);
        ResponseItemCollectionPage asked = await client.GetResponseInputItemCollectionPageAsync(new ResponseItemCollectionOptions(given.Id));
        ResponseDeletionResult deleted = await client.DeleteResponseAsync(given.Id);
        var gone = await Assert.ThrowsAsync<ClientResultException>(() => client.GetResponseAsync(given.Id));

        Assert.Equal((given.Id, given.GetOutputText(), given.Usage.TotalTokenCount), (shown.Id, shown.GetOutputText(), shown.Usage.TotalTokenCount));
        Assert.Equal("alpha beta gamma", Assert.IsAssignableFrom<MessageResponseItem>(Assert.Single(asked.Data)).Content[0].Text);
        Assert.Equal((given.Id, true), (deleted.ResponseId, deleted.Deleted));
        Assert.Equal(404, gone.Status);
        Assert.Contains("response_not_found", gone.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task P9_a_conversation_that_never_was_is_not_found()
    {
        var refused = await Assert.ThrowsAsync<ClientResultException>(() => Client(sites[ClientSites.Responses].Fresh()).CreateResponseAsync(ClientSite.Model, "beta", "resp_of_nobody"));

        Assert.Equal(404, refused.Status);
        Assert.Contains("previous_response_not_found", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ClientSites.Responses, "TooManyRequests", 429, "rate_limit_exceeded")]
    [InlineData(ClientSites.Responses, "BadRequestOfVllm", 400, "context_length_exceeded")]
    [InlineData(ClientSites.Responses, "ServerError", 502, "upstream_error")]
    [InlineData(ClientSites.OpenAi, "BadRequestOfVllm", 400, "context_length_exceeded")]
    [InlineData(ClientSites.Anthropic, "MessageOverloaded", 503, "server_is_overloaded")]
    public async Task A_backends_refusal_has_the_status_and_the_code_the_client_acts_on(string kind, string script, int status, string says)
    {
        var whole = await Assert.ThrowsAsync<ClientResultException>(() => Client(sites[kind].Fresh().Plays(script)).CreateResponseAsync(ClientSite.Model, "hi"));
        var streamed = await Assert.ThrowsAsync<ClientResultException>(() => StreamAsync(sites[kind].Fresh().Plays(script), [ResponseItem.CreateUserMessageItem("hi")]));

        Assert.Equal((status, status), (whole.Status, streamed.Status));
        Assert.Contains(says, whole.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ClientSites.Responses, "ResponseFinMidway")]
    [InlineData(ClientSites.Responses, "ResponseEndsMidway")]
    [InlineData(ClientSites.Responses, "ResponseFailsMidway")]
    [InlineData(ClientSites.Responses, "ResponseErrorMidway")]
    [InlineData(ClientSites.OpenAi, "EndsMidway")]
    [InlineData(ClientSites.OpenAi, "ErrorFrameThenDone")]
    [InlineData(ClientSites.OpenAi, "MissingFinish")]
    [InlineData(ClientSites.Anthropic, "MessageErrorMidway")]
    [InlineData(ClientSites.Anthropic, "MessageWithoutDelta")]
    public async Task P7_a_stream_cut_by_the_backend_is_noticed_by_the_client(string kind, string script)
    {
        var site = sites[kind].Fresh().Plays(script);

        await Assert.ThrowsAnyAsync<Exception>(() => StreamAsync(site, [ResponseItem.CreateUserMessageItem("alpha beta gamma")]));

        Assert.Equal(script, (await site.BooksAsync()).Script);
    }

    [Fact]
    public async Task Moderations_judge_one_text_and_several()
    {
        var client = new OpenAIClient(new ApiKeyCredential(sites[ClientSites.Responses].Fresh().Gateway.Key), new OpenAIClientOptions { Endpoint = sites[ClientSites.Responses].Gateway.ApiUrl }).GetModerationClient(ClientSite.Model);

        ModerationResult one = await client.ClassifyTextAsync("this is forbidden");
        ModerationResultCollection two = await client.ClassifyTextAsync(["this is forbidden", "this is not"]);

        Assert.True(one.Flagged);
        Assert.Equal([true, false], two.Select(result => result.Flagged));
        Assert.InRange(one.Illicit.Score, 0.9f, 1f);
    }

    private static async Task<(string Text, ResponseResult? Last, List<int> Numbers)> StreamAsync(ClientSite site, ResponseItem[] items, bool must = false)
    {
        var (text, last, numbers) = ("", (ResponseResult?)null, new List<int>());
        var options = must ? Must(items) : new CreateResponseOptions(ClientSite.Model, items);
        options.StreamingEnabled = true;
        await foreach (var update in await Client(site).CreateResponseStreamingAsync(options))
        {
            numbers.Add(update.SequenceNumber);
            text += update is StreamingResponseOutputTextDeltaUpdate delta ? delta.Delta : "";
            last = update is StreamingResponseCompletedUpdate completed ? completed.Response : last;
            if (update is StreamingResponseErrorUpdate error)
            {
                throw new InvalidDataException(error.Message);
            }
        }

        return (text, last, numbers);
    }

    private static CreateResponseOptions Must(ResponseItem[] items)
    {
        var options = new CreateResponseOptions(ClientSite.Model, items) { ToolChoice = ResponseToolChoice.CreateRequiredChoice() };
        options.Tools.Add(_lookup);
        return options;
    }

    private static string? TextOf(FunctionCallResponseItem call) => JsonDocument.Parse(call.FunctionArguments.ToString()).RootElement.GetProperty("text").GetString();

    private static ResponsesClient Client(ClientSite site) => new(
        new ApiKeyCredential(site.Gateway.Key),
        new ResponsesClientOptions { Endpoint = site.Gateway.ApiUrl, RetryPolicy = new System.ClientModel.Primitives.ClientRetryPolicy(0) });
}
