#pragma warning disable OPENAI001 // The library calls its client of Responses experimental.
using System.ClientModel;
using System.ClientModel.Primitives;
using OpenAI;
using OpenAI.Moderations;
using OpenAI.Responses;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.TestKit.Tests.Responses;

/// <summary>An unmodified OpenAI client takes the fake for a service that speaks Responses, keeps conversations and moderates.</summary>
public sealed class ResponsesClientTests : IAsyncLifetime
{
    private FakeUpstream _upstream = null!;

    public async ValueTask InitializeAsync() => _upstream = await FakeUpstream.StartAsync();

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    [Fact]
    public async Task A_response_has_text_usage_and_an_id_to_go_on_from()
    {
        ResponseResult first = await Client().CreateResponseAsync("fake-model", "one two three");
        ResponseResult second = await Client().CreateResponseAsync("fake-model", "four", first.Id);

        Assert.Equal(("Echo one two three", 3, 4), (first.GetOutputText(), first.Usage.InputTokenCount, first.Usage.OutputTokenCount));
        Assert.Equal((first.Id, 4), (second.PreviousResponseId, second.Usage.InputTokenCount));
        await Assert.ThrowsAsync<ClientResultException>(() => Client().CreateResponseAsync("fake-model", "five", "resp_nobody"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stream_is_numbered_and_its_last_event_tells_all_of_it(bool cutByLimit)
    {
        var (text, numbers, last) = ("", new List<int>(), (ResponseResult?)null);
        var options = new CreateResponseOptions("fake-model", [ResponseItem.CreateUserMessageItem("one two three")]) { StreamingEnabled = true, MaxOutputTokenCount = cutByLimit ? 2 : null };
        await foreach (var update in await Client().CreateResponseStreamingAsync(options))
        {
            numbers.Add(update.SequenceNumber);
            text += update is StreamingResponseOutputTextDeltaUpdate delta ? delta.Delta : "";
            last = update switch
            {
                StreamingResponseCompletedUpdate completed => completed.Response,
                StreamingResponseIncompleteUpdate incomplete => incomplete.Response,
                _ => last,
            };
        }

        Assert.Equal(cutByLimit ? "Echo one" : "Echo one two three", text);
        Assert.Equal((text, cutByLimit ? ResponseStatus.Incomplete : ResponseStatus.Completed), (last!.GetOutputText(), last.Status));
        Assert.Equal(Enumerable.Range(0, numbers.Count), numbers);
    }

    [Fact]
    public async Task A_function_that_must_be_called_is_called()
    {
        var options = new CreateResponseOptions("fake-model", [ResponseItem.CreateUserMessageItem("x")]) { ToolChoice = ResponseToolChoice.CreateRequiredChoice() };
        options.Tools.Add(ResponseTool.CreateFunctionTool("lookup", BinaryData.FromString("{}"), strictModeEnabled: false));

        ResponseResult answer = await Client().CreateResponseAsync(options);

        Assert.Equal("lookup", Assert.IsType<FunctionCallResponseItem>(Assert.Single(answer.OutputItems)).FunctionName);
    }

    [Fact]
    public async Task A_text_with_the_forbidden_word_is_flagged()
    {
        var client = new ModerationClient("fake-model", new ApiKeyCredential("any"), new OpenAIClientOptions { Endpoint = _upstream.BaseUrl });

        ModerationResultCollection verdicts = await client.ClassifyTextAsync(["it is forbidden", "it is not"]);

        Assert.Equal([true, false], verdicts.Select(verdict => verdict.Flagged));
    }

    private ResponsesClient Client() => new(new ApiKeyCredential("any"), new ResponsesClientOptions { Endpoint = _upstream.BaseUrl, RetryPolicy = new ClientRetryPolicy(0) });
}
