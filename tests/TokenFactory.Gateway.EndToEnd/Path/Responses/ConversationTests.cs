using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path.Responses;

/// <summary>A conversation that a backend keeps is gone on with there and by its own tenant, or not at all.</summary>
public sealed class ConversationTests(ResponsesGateway gateway) : IClassFixture<ResponsesGateway>
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_conversation_goes_on_where_it_is_kept_under_the_id_that_the_client_knows(bool stream)
    {
        var first = await gateway.SendAsync(ResponsesGateway.Body(stream, model: "wanderer"));
        var id = ResponseTold.Id(first);
        var before = (gateway.Upstream.Totals.Requests, gateway.Other.Totals.Requests);

        var second = await gateway.SendAsync(ResponsesGateway.Body(stream, model: "wanderer", previous: id));

        Assert.Equal((before.Item1, before.Item2 + 1), (gateway.Upstream.Totals.Requests, gateway.Other.Totals.Requests));
        Assert.Equal($"resp_other-{gateway.Other.Requests[^2].Number}", gateway.Other.Requests[^1].Ask.PreviousResponseId);
        Assert.Contains($"\"previous_response_id\":\"{id}\"", second.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("\"id\":\"resp_other", second.Text, StringComparison.Ordinal);
        Told.Settled(await gateway.SettlementAsync(Told.RequestId(second)), "completed", "reported", input: 6, output: 4);
    }

    [Fact]
    public async Task P9_An_id_of_another_tenant_or_one_that_was_altered_is_like_one_that_never_was()
    {
        var id = ResponseTold.Id(await gateway.SendAsync(ResponsesGateway.Body(stream: false)));
        var before = gateway.Upstream.Totals.Requests;
        string[] strange =
        [
            "resp_123", "", "resp_", new string('x', 5000), $"resp_{gateway.Upstream.Requests[^1].Number}", id[..^1], id + "A", id.ToUpperInvariant(), "resp_" + id,
            .. Enumerable.Range(5, id.Length - 5).Select(at => string.Concat(id.AsSpan(0, at), id[at] == 'A' ? "B" : "A", id.AsSpan(at + 1))),
        ];

        var stranger = await gateway.SendAsync(ResponsesGateway.Body(stream: false, previous: id), ResponsesGateway.Stranger);

        var said = Told.Refuses(stranger, 404).GetRawText();
        Assert.Contains("previous_response_not_found", said, StringComparison.Ordinal);
        foreach (var altered in strange)
        {
            Assert.Equal(said, Told.Refuses(await gateway.SendAsync(ResponsesGateway.Body(stream: false, previous: altered)), 404).GetRawText());
        }

        Assert.Equal(before, gateway.Upstream.Totals.Requests);
        Assert.Equal(200, (await gateway.SendAsync(ResponsesGateway.Body(stream: false, previous: id))).Status);
    }

    [Fact]
    public async Task P6_A_policy_that_excludes_where_it_is_kept_refuses_and_nobody_else_is_asked()
    {
        var id = ResponseTold.Id(await gateway.SendAsync(ResponsesGateway.Body(stream: false, model: "wanderer")));
        var before = (gateway.Upstream.Totals.Requests, gateway.Other.Totals.Requests);

        var error = Told.Refuses(await gateway.SendAsync(ResponsesGateway.Body(stream: false, model: "wanderer", previous: id), headers: "x-tf-region: eu"), 403);

        Assert.Equal("conversation_excluded", error.GetProperty("code").GetString());
        Assert.Contains("residency", error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(before, (gateway.Upstream.Totals.Requests, gateway.Other.Totals.Requests));
    }

    [Fact]
    public async Task A_backend_that_is_down_is_not_replaced_by_one_that_does_not_know_the_conversation()
    {
        var id = ResponseTold.Id(await gateway.SendAsync(ResponsesGateway.Body(stream: false, model: "wanderer")));
        var before = gateway.Upstream.Totals.Requests;
        gateway.Other.Next(Scripts.Get(nameof(AnswerScripts.LoadingOfLlamaCpp)));

        var response = await gateway.SendAsync(ResponsesGateway.Body(stream: false, model: "wanderer", previous: id));

        Assert.Equal("conversation_unavailable", Told.Refuses(response, 503).GetProperty("code").GetString());
        Assert.NotEmpty(response.Headers.RetryAfter.ToString());
        Assert.Equal(before, gateway.Upstream.Totals.Requests);
    }

    [Fact]
    public async Task Another_model_does_not_go_on_with_it_and_says_so()
    {
        var id = ResponseTold.Id(await gateway.SendAsync(ResponsesGateway.Body(stream: false, model: "wanderer")));

        var error = Told.Refuses(await gateway.SendAsync(ResponsesGateway.Body(stream: false, model: "talker", previous: id)), 400);

        Assert.Equal("conversation_elsewhere", error.GetProperty("code").GetString());
    }

    [Fact]
    public async Task What_the_backend_has_forgotten_is_told_under_the_clients_own_id()
    {
        var id = ResponseTold.Id(await gateway.SendAsync(ResponsesGateway.Body(stream: false)));
        var kept = $"resp_{gateway.Upstream.Requests[^1].Number}";
        gateway.Upstream.Next(Script.Json(400, $$$"""{"error":{"message":"Previous response with id '{{{kept}}}' not found.","type":"invalid_request_error","param":"previous_response_id","code":"previous_response_not_found"}}"""));

        var error = Told.Refuses(await gateway.SendAsync(ResponsesGateway.Body(stream: false, previous: id)), 400);

        Assert.Equal($"Previous response with id '{id}' not found.", error.GetProperty("message").GetString());
    }

    [Fact]
    public async Task P3_Without_a_report_what_the_backend_keeps_can_only_be_estimated()
    {
        var id = ResponseTold.Id(await gateway.SendAsync(ResponsesGateway.Body(stream: false, maxOutput: 50)));
        gateway.Upstream.Next(Script.Answer().WithoutUsage());

        var settlement = await gateway.SettlementAsync(Told.RequestId(await gateway.SendAsync(ResponsesGateway.Body(stream: false, previous: id))));

        Assert.Equal("estimated", settlement.GetProperty("evidence").GetString());
        Assert.InRange(settlement.GetProperty("tokens").GetProperty("input").GetInt64(), 60, 80);
    }

    [Fact]
    public async Task P4_A_model_that_nobody_serves_responses_of_says_so() =>
        Assert.Equal("model_not_found", Told.Refuses(await gateway.SendAsync(ResponsesGateway.Body(stream: false, model: "embedder")), 404).GetProperty("code").GetString());
}
