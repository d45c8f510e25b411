using System.Text.Json;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Upstream;
using TokenFactory.TestKit.Upstream.Steps;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path.Responses;

/// <summary>What a backend keeps of a response is shown to its own tenant and taken away, each time on record and for a request's worth of limits.</summary>
public sealed class StoredResponsesTests(ResponsesGateway gateway) : IClassFixture<ResponsesGateway>
{
    [Fact]
    public async Task A_response_is_shown_as_it_was_given_under_the_ids_that_the_client_knows()
    {
        var first = await MadeAsync();
        var given = await gateway.SendAsync(ResponsesGateway.Body(stream: false, previous: first));
        var id = ResponseTold.Id(given);

        var shown = await gateway.AboutAsync("GET", id);

        Assert.Equal(200, shown.Status);
        Assert.Equal(Without(given, "previous_response_id"), Without(shown, "previous_response_id"));
        Assert.Equal(("lab", "fake-model", "eu-west-1"), (shown.Headers["x-tf-provider"].ToString(), shown.Headers["x-tf-model"].ToString(), shown.Headers["x-tf-region"].ToString()));
        Assert.DoesNotContain($"resp_{gateway.Upstream.Requests[0].Number}\"", shown.Text, StringComparison.Ordinal);
        await RecordedAsync(shown, "responses.retrieve", "completed");
        Assert.Equal("Bearer " + ResponsesGateway.Credential, gateway.Upstream.Requests[^1].Headers.Authorization.ToString());

        // The one before it has an id as well that goes on, though another than it was given under.
        var previous = JsonDocument.Parse(shown.Text).RootElement.GetProperty("previous_response_id").GetString()!;
        Assert.Equal(first, ResponseTold.Id(await gateway.AboutAsync("GET", first)));
        Assert.Equal(200, (await gateway.AboutAsync("GET", previous)).Status);
    }

    [Fact]
    public async Task A_deleted_response_is_gone_where_it_was_kept()
    {
        var id = await MadeAsync();

        var deleted = await gateway.AboutAsync("DELETE", id);

        Assert.Equal((200, $$"""{"id":"{{id}}","object":"response","deleted":true}"""), (deleted.Status, deleted.Text));
        await RecordedAsync(deleted, "responses.delete", "completed");
        var gone = await gateway.AboutAsync("GET", id);
        Assert.Equal("response_not_found", Told.Refuses(gone, 404).GetProperty("code").GetString());
        await RecordedAsync(gone, "responses.retrieve", "failed");
        Assert.Equal(400, (await gateway.SendAsync(ResponsesGateway.Body(stream: false, previous: id))).Status);
    }

    [Fact]
    public async Task What_a_response_was_asked_with_is_listed_in_parts()
    {
        var id = await MadeAsync();

        var listed = await gateway.AboutAsync("GET", id, "/input_items?limit=1&order=asc&include[]=a%26b&stream=false");

        Assert.Equal("one two three", JsonDocument.Parse(listed.Text).RootElement.GetProperty("data")[0].GetProperty("content")[0].GetProperty("text").GetString());
        Assert.EndsWith("/input_items?limit=1&order=asc&include%5B%5D=a%26b", gateway.Upstream.Requests[^1].Path, StringComparison.Ordinal);
        await RecordedAsync(listed, "responses.input_items", "completed");
    }

    [Theory]
    [InlineData("GET", "?stream=true", "stream")]
    [InlineData("GET", "?starting_after=3", "starting_after")]
    [InlineData("GET", "/input_items?api-version=1", "api-version")]
    [InlineData("DELETE", "?limit=1", "limit")]
    public async Task P4_A_parameter_that_is_not_served_is_refused_by_name_and_nobody_is_asked(string method, string path, string parameter)
    {
        var id = await MadeAsync();
        var before = gateway.Upstream.Totals.Requests;

        var error = Told.Refuses(await gateway.AboutAsync(method, id, path), 400);

        Assert.Equal(("unsupported_parameter", parameter), (error.GetProperty("code").GetString(), error.GetProperty("param").GetString()));
        Assert.Equal(before, gateway.Upstream.Totals.Requests);
    }

    [Theory]
    [InlineData("GET", "")]
    [InlineData("GET", "/input_items")]
    [InlineData("DELETE", "")]
    [InlineData("POST", "/cancel")]
    public async Task P9_Another_tenants_response_an_altered_id_and_one_that_never_was_are_the_same(string method, string path)
    {
        var id = await MadeAsync();
        var before = gateway.Upstream.Totals.Requests;

        string[] said =
        [
            Told.Refuses(await gateway.AboutAsync(method, id, path, ResponsesGateway.Stranger), 404).GetRawText(),
            .. await Task.WhenAll(new[] { "resp_123", id[..^1], id + "A", $"resp_{gateway.Upstream.Requests[^1].Number}", "..%2Fmodels" }.Select(async altered =>
                Told.Refuses(await gateway.AboutAsync(method, altered, path), 404).GetRawText())),
        ];

        Assert.Contains("response_not_found", Assert.Single(said.Distinct()), StringComparison.Ordinal);
        Assert.Equal(before, gateway.Upstream.Totals.Requests);
    }

    [Fact]
    public async Task A_key_that_may_use_no_model_of_the_keeper_finds_nothing()
    {
        var id = await MadeAsync();

        Assert.Equal("response_not_found", Told.Refuses(await gateway.AboutAsync("DELETE", id, key: ResponsesGateway.Elsewhere), 404).GetProperty("code").GetString());

        Assert.Equal(200, (await gateway.AboutAsync("GET", id)).Status);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/input_items")]
    public async Task P6_What_the_policy_does_not_allow_is_not_read_but_can_still_be_deleted(string path)
    {
        var id = await MadeAsync();
        var before = gateway.Upstream.Totals.Requests;

        var denied = await gateway.AboutAsync("GET", id, path, ResponsesGateway.Closed);

        Assert.Equal("policy_denied", Told.Refuses(denied, 403).GetProperty("code").GetString());
        Assert.NotEmpty(denied.Headers["x-tf-policy-decision"].ToString());
        Assert.Equal(before, gateway.Upstream.Totals.Requests);
        Assert.Equal(200, (await gateway.AboutAsync("DELETE", id, key: ResponsesGateway.Closed)).Status);
    }

    [Fact]
    public async Task P3_Each_look_takes_a_request_of_the_callers_limits()
    {
        var id = await MadeAsync();

        var looks = new List<RawResponse>();
        for (var look = 0; look < 4; look++)
        {
            looks.Add(await gateway.AboutAsync("GET", id, key: ResponsesGateway.Slow));
        }

        Assert.Equal([200, 200, 200, 429], looks.Select(look => look.Status));
        Assert.Equal("0", looks[2].Headers["x-ratelimit-remaining-requests"].ToString());
    }

    [Theory]
    [InlineData(500, 502, "The model failed", "failed")]
    [InlineData(401, 502, "sk-of-the-far-backend is wrong", "failed")]
    [InlineData(429, 429, "slow down", "failed")]
    [InlineData(503, 503, "loading", "failed")]
    [InlineData(400, 400, "cannot show KEPT", "failed")]
    public async Task P8_A_keeper_that_refuses_is_told_in_the_clients_words_and_on_record(int status, int told, string message, string outcome)
    {
        var id = await MadeAsync();
        var kept = KeptId();
        gateway.Upstream.OnPath($"/v1/responses/{kept}", Script.Json(status, JsonSerializer.Serialize(new { error = new { message = message.Replace("KEPT", kept, StringComparison.Ordinal), type = "t" } })));

        var answer = await gateway.AboutAsync("GET", id);

        gateway.Upstream.IsHonest();
        var said = Told.Refuses(answer, told).GetProperty("message").GetString()!;
        Assert.DoesNotContain(ResponsesGateway.Credential, answer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(kept, said.Replace(id, "", StringComparison.Ordinal), StringComparison.Ordinal);
        await RecordedAsync(answer, "responses.retrieve", outcome);
    }

    [Theory]
    [InlineData("text/html", "<html>login</html>")]
    [InlineData("application/json", "[]")]
    [InlineData("application/json", "{\"object\":\"response\"")]
    [InlineData("application/json", "{\"object\":\"response\"}")]
    [InlineData("application/json", "{\"id\":7}")]
    [InlineData("application/json", "{\"id\":null,\"previous_response_id\":\"resp_1\",\"output\":[]}")]
    [InlineData("application/json", "{\"id\":\"resp_of_somebody_else\",\"object\":\"response\"}")]
    [InlineData("application/json", "")]
    public async Task P4_What_is_no_response_is_not_passed_on(string type, string body)
    {
        var id = await MadeAsync();
        gateway.Upstream.OnPath($"/v1/responses/{KeptId()}", Script.Body(200, type, body));

        var answer = await gateway.AboutAsync("GET", id);

        gateway.Upstream.IsHonest();
        Told.Refuses(answer, 502);
        await RecordedAsync(answer, "responses.retrieve", "failed");
    }

    [Fact]
    public async Task P10_A_keeper_that_says_nothing_is_not_waited_for_longer_than_for_an_answer()
    {
        var id = await MadeAsync();
        gateway.Upstream.OnPath($"/v1/responses/{KeptId()}", Script.Answer("late").Stalls(Place.Start));

        var answer = await gateway.AboutAsync("GET", id);

        gateway.Upstream.IsHonest();
        Told.Refuses(answer, 504);
        await RecordedAsync(answer, "responses.retrieve", "timed_out");
    }

    [Fact]
    public async Task A_response_that_has_ended_cannot_be_cancelled_and_the_error_says_what_can()
    {
        var error = Told.Refuses(await gateway.AboutAsync("POST", await MadeAsync(), "/cancel"), 400);

        Assert.Equal("response_not_in_background", error.GetProperty("code").GetString());
        Assert.Contains("/v1/requests/{id}/cancel", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    private async Task<string> MadeAsync() => ResponseTold.Id(await gateway.SendAsync(ResponsesGateway.Body(stream: false)));

    /// <summary>What the backend calls the response that was made last.</summary>
    private string KeptId() => $"resp_{gateway.Upstream.Requests[^1].Number}";

    private async Task RecordedAsync(RawResponse response, string operation, string outcome)
    {
        var settlement = await gateway.SettlementAsync(Told.RequestId(response));
        Told.Settled(settlement, outcome, "known_zero", input: 0, output: 0);
        Assert.Equal(
            (operation, "talker", "lab", 0L),
            (settlement.GetProperty("operation").GetString(), settlement.GetProperty("model").GetString(), settlement.GetProperty("provider").GetString(), settlement.GetProperty("cost_nano_usd").GetInt64()));
    }

    private static Dictionary<string, string> Without(RawResponse response, string member) =>
        JsonDocument.Parse(response.Text).RootElement.EnumerateObject().Where(one => one.Name != member).ToDictionary(one => one.Name, one => one.Value.GetRawText());
}
