using System.Text.Json;
using Anthropic;
using Anthropic.Exceptions;
using Anthropic.Models.Messages;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.TestKit.Tests.Messages;

/// <summary>An unmodified SDK takes the upstream for the real thing.</summary>
public sealed class AnthropicClientTests : IAsyncLifetime
{
    private const string Key = "sk-ant-test";
    private FakeUpstream _upstream = null!;
    private AnthropicClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _upstream = await FakeUpstream.StartAsync();
        (_upstream.RequiredKey, _upstream.KnowsListedModelsOnly) = (Key, true);
        _client = new AnthropicClient { ApiKey = Key, BaseUrl = $"http://127.0.0.1:{_upstream.Port}", MaxRetries = 0, ResponseValidation = true };
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task A_message_is_answered()
    {
        var message = await _client.Messages.Create(Ask("tag1 two"), Limit());

        Assert.Equal("Echo tag1 two", TextOf(message));
        Assert.Equal((2, 3, StopReason.EndTurn), (message.Usage.InputTokens, message.Usage.OutputTokens, message.StopReason!.Value()));
        Assert.Equal((Key, true), (_upstream.Requests[0].Key, _upstream.Requests[0].SpeaksMessages));
    }

    [Fact]
    public async Task A_message_is_streamed_with_its_usage()
    {
        var streamed = await Streamed.ReadAsync(_client.Messages.CreateStreaming(Ask("tag1 two"), Limit()));

        Assert.Equal(("Echo tag1 two", StopReason.EndTurn, true), (streamed.Text, streamed.StopReason, streamed.Stopped));
        Assert.Equal((2, 3), (streamed.InputTokens, streamed.OutputTokens));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_tool_is_called_and_its_result_answered(bool stream)
    {
        _upstream.Answer = ask => $"It said {ask.ToolResult}";
        var ask = Ask("please call the tool") with { Tools = [_lookup] };

        var (id, name, input) = ("", "", "");
        if (stream)
        {
            var streamed = await Streamed.ReadAsync(_client.Messages.CreateStreaming(ask with { ToolChoice = new ToolChoiceAny() }, Limit()));
            (id, name, input) = Assert.Single(streamed.Calls);
            Assert.Equal(StopReason.ToolUse, streamed.StopReason);
        }
        else
        {
            var call = await _client.Messages.Create(ask with { ToolChoice = new ToolChoiceAny() }, Limit());
            Assert.True(Assert.Single(call.Content).TryPickToolUse(out var use));
            (id, name, input) = (use.ID, use.Name, JsonSerializer.Serialize(use.Input));
            Assert.Equal(StopReason.ToolUse, call.StopReason!.Value());
        }

        Assert.Equal(("lookup", "please call the tool"), (name, JsonDocument.Parse(input).RootElement.GetProperty("text").GetString()));
        var message = await _client.Messages.Create(ask with
        {
            Messages =
            [
                new UserMessageParam("please call the tool"),
                new AssistantMessageParam(new List<ContentBlockParam> { new ToolUseBlockParam { ID = id, Name = name, Input = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(input)! } }),
                new UserMessageParam(new List<ContentBlockParam> { new ToolResultBlockParam(id) { Content = "forty two" } }),
            ],
        }, Limit());
        Assert.Equal("It said forty two", TextOf(message));
    }

    [Fact]
    public async Task Every_faithful_stream_is_read_to_its_end()
    {
        foreach (var name in (string[])["MessageSplitAtEveryByte", "MessageWithCrLf", "MessageWithPings", "MessageForeignAndSplit", "MessageEscaped", "MessageThinking", "MessageTextThenTool", "MessageTwoTools"])
        {
            _upstream.Next(Scripts.Get(name));

            var streamed = await Streamed.ReadAsync(_client.Messages.CreateStreaming(Ask("a"), Limit()));

            Assert.True(streamed.Stopped, name);
            Assert.Equal(name is "MessageTwoTools" ? ["lookup", "now"] : name is "MessageTextThenTool" ? ["lookup"] : [], streamed.Calls.Select(call => call.Name));
        }
    }

    [Fact]
    public async Task A_cache_stands_beside_the_input()
    {
        _upstream.Next(Scripts.Get("MessageAnswerWithCache"));

        var usage = (await _client.Messages.Create(Ask("a"), Limit())).Usage;

        Assert.Equal((10, 60, 30, 7), (usage.InputTokens, usage.CacheReadInputTokens, usage.CacheCreationInputTokens, usage.OutputTokens));
    }

    [Fact]
    public async Task Refusals_have_the_class_and_the_type_that_the_client_knows()
    {
        await RefusesAsync<AnthropicNotFoundException>(() => _client.Messages.Create(Ask("a") with { Model = "no-such-model" }), "not_found_error");
        await RefusesAsync<AnthropicBadRequestException>(() => _client.Messages.Create(Ask("a") with { Messages = [] }), "invalid_request_error");
        using var stranger = new AnthropicClient { ApiKey = "wrong", BaseUrl = _client.BaseUrl, MaxRetries = 0 };
        await RefusesAsync<AnthropicUnauthorizedException>(() => stranger.Messages.Create(Ask("a")), "authentication_error");
        await ScriptRefusesAsync<AnthropicRateLimitException>("MessageTooMany", "rate_limit_error");
        await ScriptRefusesAsync<AnthropicForbiddenException>("MessageForbidden", "permission_error");
        await ScriptRefusesAsync<AnthropicOverloadedException>("MessageOverloaded", "overloaded_error");
        await ScriptRefusesAsync<Anthropic5xxException>("MessageServerError", "api_error");
    }

    [Fact]
    public async Task A_broken_stream_is_noticed()
    {
        foreach (var name in (string[])["MessageFinMidway", "MessageResetMidway", "MessageGarbageEvent"])
        {
            _upstream.Next(Scripts.Get(name));
            await Assert.ThrowsAnyAsync<Exception>(() => Streamed.ReadAsync(_client.Messages.CreateStreaming(Ask("a b c"), Limit())));
        }

        _upstream.Next(Scripts.Get("MessageErrorMidway"));
        var told = await Assert.ThrowsAnyAsync<AnthropicServiceException>(() => Streamed.ReadAsync(_client.Messages.CreateStreaming(Ask("a b c"), Limit())));
        Assert.Equal("overloaded_error", told.Type?.Raw());
    }

    [Fact]
    public async Task Tokens_are_counted_and_models_listed()
    {
        var count = await _client.Messages.CountTokens(new MessageCountTokensParams { Model = "fake-model", Messages = [new UserMessageParam("a b c")] }, Limit());
        var models = await _client.Models.List(cancellationToken: Limit());

        Assert.Equal(3, count.InputTokens);
        Assert.Equal("fake-model", Assert.Single(models.Items).ID);
    }

    private static readonly Tool _lookup = new()
    {
        Name = "lookup",
        InputSchema = new InputSchema { Properties = new Dictionary<string, JsonElement> { ["text"] = JsonSerializer.SerializeToElement(new { type = "string" }) } },
    };

    private static MessageCreateParams Ask(string text) => new() { Model = "fake-model", MaxTokens = 100, Messages = [new UserMessageParam(text)] };

    private static string TextOf(Message message) => string.Concat(message.Content.Select(block => block.TryPickText(out var text) ? text.Text : ""));

    private static async Task RefusesAsync<TException>(Func<Task> call, string type)
        where TException : AnthropicApiException
    {
        var refusal = await Assert.ThrowsAnyAsync<TException>(call);
        Assert.Equal(type, refusal.Type?.Raw());
        Assert.StartsWith("req_", refusal.RequestID, StringComparison.Ordinal);
    }

    private Task ScriptRefusesAsync<TException>(string script, string type)
        where TException : AnthropicApiException
    {
        _upstream.Next(Scripts.Get(script));
        return RefusesAsync<TException>(() => _client.Messages.Create(Ask("a")), type);
    }

    private static CancellationToken Limit() => new CancellationTokenSource(TimeSpan.FromSeconds(20)).Token;
}
