using System.Text;
using System.Text.Json;
using Anthropic;
using Anthropic.Exceptions;
using Anthropic.Models.Messages;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Clients;

/// <summary>An unmodified NuGet Anthropic client, pointed at the gateway in front of a backend of either kind.</summary>
public sealed class AnthropicClientTests(ClientSites sites) : IClassFixture<ClientSites>
{
    private static readonly Tool _lookup = new()
    {
        Name = "lookup",
        Description = "looks something up",
        InputSchema = new InputSchema { Properties = new Dictionary<string, JsonElement> { ["text"] = JsonSerializer.SerializeToElement(new { type = "string" }) } },
    };

    public static TheoryData<string> Kinds => ClientSites.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_message_is_answered_with_text_and_the_backends_own_usage(string kind)
    {
        var site = sites[kind].Fresh();
        using var client = Client(site);

        var message = await client.Messages.Create(Ask("alpha beta gamma") with { System = "be brief" });

        var books = await site.BooksAsync();
        Assert.Equal(("Echo alpha beta gamma", StopReason.EndTurn), (TextOf(message), message.StopReason!.Value()));
        Assert.Equal((5, books.CompletionTokens), (message.Usage.InputTokens, message.Usage.OutputTokens));
        Assert.Equal(books.PromptTokens, message.Usage.InputTokens);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_message_is_streamed_with_the_backends_own_usage(string kind)
    {
        var site = sites[kind].Fresh();

        var streamed = await StreamAsync(site, Ask("alpha beta gamma"));

        var books = await site.BooksAsync();
        Assert.Equal(("Echo alpha beta gamma", StopReason.EndTurn, true), (streamed.Text, streamed.StopReason, streamed.Stopped));
        Assert.Equal((books.PromptTokens, books.CompletionTokens), (streamed.InputTokens, streamed.OutputTokens));
        Assert.True(books.Ask.Stream);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Letters_of_all_alphabets_arrive_streamed_and_not_however_the_bytes_are_cut(string kind)
    {
        var site = sites[kind].Fresh(_ => "Grüße, 東京! 🚀 \"quoted\" back\\slash");
        using var client = Client(site);
        site.Upstream.Next(Script.Stream().SplitAtEveryByte(), Script.Stream().Escaped());

        var (split, escaped) = (await StreamAsync(site, Ask("a")), await StreamAsync(site, Ask("a")));
        var whole = await client.Messages.Create(Ask("Wie geht's, 世界? 🌍"));

        Assert.All([split.Text, escaped.Text, TextOf(whole)], text => Assert.Equal("Grüße, 東京! 🚀 \"quoted\" back\\slash", text));
        Assert.Equal("Wie geht's, 世界? 🌍", (await site.BooksAsync()).Ask.LastUserText);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Tools_are_called_streamed_and_not_and_their_results_understood(string kind)
    {
        var site = sites[kind].Fresh(ask => $"It said {ask.ToolResult}");
        using var client = Client(site);
        var ask = Ask("find \"é\" please") with { Tools = [_lookup] };

        var message = await client.Messages.Create(ask with { ToolChoice = new ToolChoiceAny() });
        var streamed = await StreamAsync(site, ask with { ToolChoice = new ToolChoiceTool("lookup") });
        Assert.True(Assert.Single(message.Content).TryPickToolUse(out var use));
        var second = await client.Messages.Create(ask with
        {
            Messages =
            [
                new UserMessageParam("find \"é\" please"),
                new AssistantMessageParam(new List<ContentBlockParam> { new ToolUseBlockParam { ID = use.ID, Name = use.Name, Input = use.Input } }),
                new UserMessageParam(new List<ContentBlockParam> { new ToolResultBlockParam(use.ID) { Content = "forty two" } }),
            ],
        });

        Assert.Equal(("lookup", "find \"é\" please", StopReason.ToolUse), (use.Name, use.Input["text"].GetString(), message.StopReason!.Value()));
        Assert.Equal(("lookup", "find \"é\" please", StopReason.ToolUse), (Assert.Single(streamed.Calls).Name, JsonDocument.Parse(streamed.Calls[0].Input).RootElement.GetProperty("text").GetString(), streamed.StopReason));
        Assert.Equal(("It said forty two", StopReason.EndTurn), (TextOf(second), second.StopReason!.Value()));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_limit_and_an_image_reach_the_backend_in_its_own_dialect(string kind)
    {
        var site = sites[kind].Fresh();
        using var client = Client(site);
        var data = Convert.ToBase64String("not really a png"u8);
        var image = new ImageBlockParam { Source = new Base64ImageSource { MediaType = MediaType.ImagePng, Data = data } };

        var message = await client.Messages.Create(Ask("") with { MaxTokens = 2, Messages = [new UserMessageParam(new List<ContentBlockParam> { new TextBlockParam("alpha beta gamma"), image })] });

        var books = await site.BooksAsync();
        Assert.Equal(("Echo alpha", StopReason.MaxTokens), (TextOf(message), message.StopReason!.Value()));
        Assert.Equal(2, books.Ask.MaxTokens);
        Assert.Contains(kind == ClientSites.Anthropic ? $"\"data\":\"{data}\"" : $"data:image/png;base64,{data}", Encoding.UTF8.GetString(books.Body.Span), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task What_a_cache_had_stands_beside_the_input_streamed_and_not(string kind)
    {
        var site = sites[kind].Fresh();
        using var client = Client(site);
        site.Upstream.Next(Script.Answer().WithUsage(100, 7, cached: 60), Script.Stream().WithUsage(100, 7, cached: 60));

        var usage = (await client.Messages.Create(Ask("a"))).Usage;
        var streamed = await StreamAsync(site, Ask("a"));

        Assert.Equal((40, 60, 7), (usage.InputTokens, usage.CacheReadInputTokens, usage.OutputTokens));
        Assert.Equal((40, 60, 7), (streamed.InputTokens, streamed.CacheReadTokens, streamed.OutputTokens));
    }

    [Theory]
    [InlineData(ClientSites.OpenAi, "TooManyRequests", 429, "rate_limit_error")]
    [InlineData(ClientSites.OpenAi, "BadRequestOfVllm", 400, "invalid_request_error")]
    [InlineData(ClientSites.OpenAi, "UnauthorizedAsString", 502, "api_error")]
    [InlineData(ClientSites.OpenAi, "ServerError", 502, "api_error")]
    [InlineData(ClientSites.Anthropic, "MessageTooMany", 429, "rate_limit_error")]
    [InlineData(ClientSites.Anthropic, "MessageBadRequest", 400, "invalid_request_error")]
    [InlineData(ClientSites.Anthropic, "MessageUnauthorized", 502, "api_error")]
    [InlineData(ClientSites.Anthropic, "MessageServerError", 502, "api_error")]
    public async Task A_backends_refusal_has_the_status_and_the_type_the_client_acts_on(string kind, string script, int status, string type)
    {
        using var client = Client(sites[kind].Fresh().Plays(script));
        var whole = await Assert.ThrowsAnyAsync<AnthropicApiException>(() => client.Messages.Create(Ask("hi")));
        var streamed = await Assert.ThrowsAnyAsync<AnthropicApiException>(() => StreamAsync(sites[kind].Fresh().Plays(script), Ask("hi")));

        Assert.Equal((status, status), ((int)whole.StatusCode, (int)streamed.StatusCode));
        Assert.Equal((type, type), (whole.Type?.Raw(), streamed.Type?.Raw()));
    }

    /// <summary>Which of its two statuses says so is the gateway's to choose; the type is what clients look at.</summary>
    [Theory]
    [InlineData(ClientSites.OpenAi, "LoadingOfLlamaCpp")]
    [InlineData(ClientSites.Anthropic, "MessageOverloaded")]
    public async Task A_backend_that_has_too_much_to_do_is_told_as_such(string kind, string script)
    {
        using var client = Client(sites[kind].Fresh().Plays(script));

        var refusal = await Assert.ThrowsAnyAsync<Anthropic5xxException>(() => client.Messages.Create(Ask("hi")));

        Assert.True((int)refusal.StatusCode is 503 or 529, refusal.Message);
        Assert.Equal("overloaded_error", refusal.Type?.Raw());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Errors_have_the_class_the_type_and_the_id_that_the_client_reads(string kind)
    {
        using var client = Client(sites[kind].Fresh());
        using var stranger = Client(sites[kind], "sk-not-a-key-of-this-gateway");

        var unknownModel = await Assert.ThrowsAsync<AnthropicNotFoundException>(() => client.Messages.Create(Ask("hi") with { Model = "no-such-model" }));
        var unknownKey = await Assert.ThrowsAsync<AnthropicUnauthorizedException>(() => stranger.Messages.Create(Ask("hi")));
        var noMessages = await Assert.ThrowsAsync<AnthropicBadRequestException>(() => client.Messages.Create(Ask("hi") with { Messages = [] }));

        Assert.Equal(("not_found_error", "authentication_error", "invalid_request_error"), (unknownModel.Type?.Raw(), unknownKey.Type?.Raw(), noMessages.Type?.Raw()));
        Assert.All<AnthropicApiException>([unknownModel, unknownKey, noMessages], error => Assert.True(Guid.TryParse(error.RequestID, out _), error.RequestID));
        Assert.Contains("no-such-model", unknownModel.ApiMessage, StringComparison.Ordinal);
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

        await Assert.ThrowsAnyAsync<Exception>(() => StreamAsync(site, Ask("alpha beta gamma")));

        Assert.Equal(script, (await site.BooksAsync()).Script);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Thoughts_tools_and_stop_sequences_of_the_same_dialect_arrive_as_they_are(bool stream)
    {
        var site = sites[ClientSites.Anthropic].Fresh(_ => "one two STOP three").Plays("MessageThinking").Plays("MessageTwoTools");
        using var client = Client(site);
        string[] types, tools;
        StopReason? stop;
        var stopping = Ask("a") with { StopSequences = ["STOP"] };

        if (stream)
        {
            types = (await StreamAsync(site, Ask("a"))).Types;
            tools = [.. (await StreamAsync(site, Ask("a"))).Calls.Select(call => call.Name)];
            stop = (await StreamAsync(site, stopping)).StopReason;
        }
        else
        {
            types = [.. (await client.Messages.Create(Ask("a"))).Content.Select(block => block.Type.Raw())];
            tools = [.. (await client.Messages.Create(Ask("a"))).Content.Select(block => block.TryPickToolUse(out var use) ? use.Name : "")];
            stop = (await client.Messages.Create(stopping)).StopReason?.Value();
        }

        Assert.Equal(["thinking", "redacted_thinking", "text"], types);
        Assert.Equal(["lookup", "now"], tools);
        Assert.Equal(StopReason.StopSequence, stop);
    }

    private static MessageCreateParams Ask(string text) => new() { Model = ClientSite.Model, MaxTokens = 100, Messages = [new UserMessageParam(text)] };

    private static string TextOf(Message message) => string.Concat(message.Content.Select(block => block.TryPickText(out var text) ? text.Text : ""));

    private static async Task<StreamedMessage> StreamAsync(ClientSite site, MessageCreateParams ask)
    {
        using var client = Client(site);
        return await StreamedMessage.ReadAsync(client.Messages.CreateStreaming(ask));
    }

    private static AnthropicClient Client(ClientSite site, string? key = null) =>
        new() { ApiKey = key ?? site.Gateway.Key, BaseUrl = site.Gateway.BaseUrl.ToString().TrimEnd('/'), MaxRetries = 0 };
}
