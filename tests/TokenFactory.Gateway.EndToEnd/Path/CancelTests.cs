using System.Text.Json;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Upstream;
using TokenFactory.TestKit.Upstream.Steps;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path;

/// <summary>A running request is looked at and stopped by somebody else than its client: the backend hears of it, the client is told honestly, and
/// what was delivered is settled once.</summary>
public sealed class CancelTests(CancelTests.Backend backend) : IClassFixture<CancelTests.Backend>
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task P2_P3_before_the_first_byte_the_client_gets_an_error_that_sdks_do_not_repeat(bool stream)
    {
        var gate = new Gate();
        backend.Upstream.Next(Script.Honest.Stalls(Place.Start, gate));
        var asked = backend.Other.Requests.Count;
        var answer = backend.ChatAsync(The.ChatRequest("both", stream: stream));
        await gate.Reached;
        var request = backend.Upstream.Requests[^1];
        var id = await AdmittedAsync();
        Assert.Equal([id], await RunningAsync());

        var (status, told) = await CancelAsync(id);

        Assert.Equal((202, id), (status, told.GetProperty("id").GetString()));
        var refused = await answer;
        Assert.Equal("request_cancelled", Told.Refuses(refused, 499).GetProperty("code").GetString());
        Assert.Equal("false", refused.Headers["x-should-retry"]);
        await backend.Upstream.WaitForAsync(_ => request.ClientAborted, TimeSpan.FromSeconds(10));
        Told.Settled(await backend.SettlementAsync(id), "cancelled", "counted", Told.CountedPrompt, 0);

        // Nobody else was asked in its place, and asking again changes nothing.
        Assert.Equal(asked, backend.Other.Requests.Count);
        var (again, ended) = await CancelAsync(id);
        Assert.Equal((200, "cancelled", "request_cancelled"), (again, ended.GetProperty("state").GetString(), ended.GetProperty("error").GetString()));
        Assert.Empty(await RunningAsync());
    }

    [Theory]
    [InlineData(1, "one")]
    [InlineData(3, " three")]
    public async Task P2_P3_P7_a_stream_ends_with_an_error_event_and_what_was_delivered_is_settled(int words, string last)
    {
        var gate = new Gate();
        backend.Upstream.Next(Script.Stream().Stalls(Place.AfterPieces(words), gate));
        await using var client = await RawHttp.ConnectAsync(backend.Gateway.BaseUrl);
        await client.SendAsync(backend.ChatBytes(The.ChatRequest(stream: true)));
        await gate.Reached;
        var seen = await client.ReadUntilAsync($"\"content\":\"{last}\"");
        var request = backend.Upstream.Requests[^1];

        Assert.Equal(202, (await CancelAsync(request.RequestId!)).Status);

        seen += await client.ReadUntilAsync("\"code\":\"request_cancelled\"}}\n\n");
        Assert.DoesNotContain("[DONE]", seen, StringComparison.Ordinal);
        await backend.Upstream.WaitForAsync(_ => request.ClientAborted, TimeSpan.FromSeconds(10));
        Told.Settled(await backend.SettlementAsync(request.RequestId!), "cancelled", "counted", Told.CountedPrompt, words);
        var shown = await GetAsync($"/v1/requests/{request.RequestId}");
        Assert.Equal(("cancelled", 1), (shown.GetProperty("state").GetString(), shown.GetProperty("attempts").GetArrayLength()));
        Assert.Equal(words, shown.GetProperty("usage").GetProperty("tokens").GetProperty("output").GetInt64());
    }

    [Theory]
    [InlineData(Backend.Stranger)]
    [InlineData(Backend.Neighbour)]
    public async Task P9_what_is_anothers_is_as_unknown_as_what_never_was_and_runs_on(string other)
    {
        var gate = new Gate();
        backend.Upstream.Next(Script.Stream().Stalls(Place.AfterPieces(1), gate));
        var answer = backend.ChatAsync(The.ChatRequest(stream: true));
        await gate.Reached;
        var id = await AdmittedAsync();

        var theirs = await SendAsync(HttpMethod.Post, $"/v1/requests/{id}/cancel", other);
        var unknown = await SendAsync(HttpMethod.Post, $"/v1/requests/{Guid.Empty}/cancel", other);
        Assert.Equal((404, unknown.Body), (theirs.Status, theirs.Body));
        Assert.Equal((404, unknown.Body), await SendAsync(HttpMethod.Get, $"/v1/requests/{id}", other));
        Assert.Equal((404, unknown.Body), await SendAsync(HttpMethod.Post, "/v1/requests/no-id/cancel", other));
        Assert.DoesNotContain(id, (await SendAsync(HttpMethod.Get, "/v1/requests", other)).Body, StringComparison.Ordinal);

        // Twice as long as a replica takes to see a cancellation.
        await Task.Delay(1000);
        gate.Open();
        Told.Completes(await answer);
        Assert.Equal("completed", (await backend.SettlementAsync(id)).GetProperty("outcome").GetString());
        Assert.Equal((404, unknown.Body), await SendAsync(HttpMethod.Post, $"/v1/requests/{id}/cancel", other));
        Assert.Equal((200, "completed"), ((await CancelAsync(id)).Status, (await GetAsync($"/v1/requests/{id}")).GetProperty("state").GetString()));
    }

    [Fact]
    public async Task A_request_shows_its_attempts_its_decision_and_that_it_fell_back_and_names_no_deployment()
    {
        backend.Upstream.Next(Scripts.Get("ServerError"));
        var response = await backend.ChatAsync(The.ChatRequest("both"), "x-tf-region: eu");
        var id = Told.RequestId(response);
        await backend.SettlementAsync(id);

        var shown = await GetAsync($"/v1/requests/{id}");

        Assert.Equal(("completed", "both", "eu-2", "eu-north-1", true), (
            shown.GetProperty("state").GetString(), shown.GetProperty("model").GetString(), shown.GetProperty("provider").GetString(), shown.GetProperty("region").GetString(),
            shown.GetProperty("fallback").GetBoolean()));
        var attempts = shown.GetProperty("attempts");
        Assert.Equal(("eu-1", 500, "eu-2", 200), (
            attempts[0].GetProperty("provider").GetString(), attempts[0].GetProperty("status").GetInt32(), attempts[1].GetProperty("provider").GetString(), attempts[1].GetProperty("status").GetInt32()));
        var decision = shown.GetProperty("decision");
        Assert.Equal((response.Headers["x-tf-policy-decision"].ToString(), "v7", "eu-only"), (
            decision.GetProperty("id").GetString(), decision.GetProperty("bundle").GetString(), decision.GetProperty("rules")[0].GetString()));
        Assert.Equal("reported", shown.GetProperty("usage").GetProperty("evidence").GetString());
        Assert.DoesNotContain("first-of-eu", shown.GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain("second-of-eu", shown.GetRawText(), StringComparison.Ordinal);

        var listed = (await GetAsync("/v1/requests?state=completed&model=both&limit=1")).GetProperty("data")[0];
        Assert.Equal((id, 2), (listed.GetProperty("id").GetString(), listed.GetProperty("attempts_made").GetInt32()));
    }

    [Fact]
    public async Task P6_a_denied_request_is_shown_with_its_reason_though_it_never_ran()
    {
        var response = await backend.ChatAsync(The.ChatRequest("us-only"), "x-tf-region: eu");
        Assert.Equal(403, response.Status);

        var shown = await GetAsync($"/v1/requests/{Told.RequestId(response)}");

        Assert.Equal(("denied", "policy_denied"), (shown.GetProperty("state").GetString(), shown.GetProperty("error").GetString()));
        Assert.Contains("residency", shown.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain("of-us", shown.GetRawText(), StringComparison.Ordinal);
        Assert.Equal(200, (await CancelAsync(Told.RequestId(response))).Status);
    }

    [Fact]
    public async Task P2_what_runs_for_seconds_without_a_word_is_noted_so_that_every_replica_goes_on_seeing_it()
    {
        var gate = new Gate();
        backend.Upstream.Next(Script.Honest.Stalls(Place.Start, gate));
        var answer = backend.ChatAsync(The.ChatRequest());
        await gate.Reached;
        var id = await AdmittedAsync();

        JsonElement shown;
        for (var tries = 0; (shown = await GetAsync($"/v1/requests/{id}")).GetProperty("usage").ValueKind == JsonValueKind.Null && tries < 300; tries++)
        {
            await Task.Delay(100);
        }

        Assert.Equal(("running", "estimated", 0), (
            shown.GetProperty("state").GetString(), shown.GetProperty("usage").GetProperty("evidence").GetString(), shown.GetProperty("usage").GetProperty("tokens").GetProperty("output").GetInt32()));
        Assert.InRange(shown.GetProperty("usage").GetProperty("noted_at").GetDateTimeOffset() - shown.GetProperty("accepted_at").GetDateTimeOffset(), TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(30));
        gate.Open();
        Assert.Equal(200, (await answer).Status);
        Assert.Equal("completed", (await backend.SettlementAsync(id)).GetProperty("outcome").GetString());
    }

    [Fact]
    public async Task P4_each_needs_its_own_scope()
    {
        var id = Told.RequestId(await backend.ChatAsync(The.ChatRequest()));

        Assert.Equal(403, (await SendAsync(HttpMethod.Get, "/v1/requests", Backend.Canceller)).Status);
        Assert.Equal(200, (await SendAsync(HttpMethod.Post, $"/v1/requests/{id}/cancel", Backend.Canceller)).Status);
        Assert.Equal(403, (await SendAsync(HttpMethod.Post, $"/v1/requests/{id}/cancel", Backend.Reader)).Status);
        Assert.Equal(200, (await SendAsync(HttpMethod.Get, $"/v1/requests/{id}", Backend.Reader)).Status);
        Assert.Equal(401, (await SendAsync(HttpMethod.Post, $"/v1/requests/{id}/cancel", "nobodys-key-at-all-in-here")).Status);
    }

    [Fact]
    public async Task An_operator_sees_and_stops_what_runs_from_beside_the_process_and_sinks_hear_each_step()
    {
        var gate = new Gate();
        backend.Upstream.Next(Script.Honest.Stalls(Place.Start, gate));
        var answer = backend.ChatAsync(The.ChatRequest());
        await gate.Reached;
        var id = await AdmittedAsync();

        Assert.Matches($"{id} +running +acme +search .* first-of-eu", (await RunAsync("list", "--state", "running")).Output);
        Assert.Contains("will be stopped", (await RunAsync("cancel", id)).Output, StringComparison.Ordinal);

        Assert.Equal("request_cancelled", Told.Refuses(await answer, 499).GetProperty("code").GetString());
        await backend.SettlementAsync(id);
        Assert.Contains("had ended already: cancelled", (await RunAsync("cancel", id)).Output, StringComparison.Ordinal);
        Assert.Contains("\"deployment\":\"first-of-eu\"", (await RunAsync("show", id)).Output, StringComparison.Ordinal);
        Assert.Equal(1, (await RunAsync("show", Guid.Empty.ToString())).ExitCode);

        var events = (await backend.EventsAsync(all => all.Count(IsOfIt) == 3)).Where(IsOfIt).Select(one => one.GetProperty("data")).ToList();
        Assert.Equal(["admitted", "cancel_requested", "cancelled"], events.Select(one => one.TryGetProperty("step", out var step) ? step.GetString() : one.GetProperty("outcome").GetString()));

        // A denied request is told by its audit record, whose shape is another.
        bool IsOfIt(JsonElement one) => one.GetProperty("data").TryGetProperty("request_id", out var request) && request.GetString() == id;
    }

    private Task<TestKit.Processes.CommandResult> RunAsync(params string[] arguments)
    {
        var data = backend.Gateway.DataPath;
        return backend.Gateway.RunToEndAsync(["requests", .. arguments, "--data", data, "--config", System.IO.Path.Combine(data, "gateway.yaml")]);
    }

    /// <summary>The request the backend was asked last: its admission's commit overlaps with that, and may come a moment later.</summary>
    private async Task<string> AdmittedAsync()
    {
        var id = backend.Upstream.Requests[^1].RequestId!;
        for (var tries = 0; tries < 300 && (await SendAsync(HttpMethod.Get, $"/v1/requests/{id}", backend.Key)).Status != 200; tries++)
        {
            await Task.Delay(50);
        }

        return id;
    }

    private async Task<List<string>> RunningAsync() =>
        [.. (await GetAsync("/v1/requests?state=running")).GetProperty("data").EnumerateArray().Select(one => one.GetProperty("id").GetString()!)];

    private async Task<(int Status, JsonElement View)> CancelAsync(string id)
    {
        var (status, body) = await SendAsync(HttpMethod.Post, $"/v1/requests/{id}/cancel", backend.Key);
        return (status, JsonDocument.Parse(body).RootElement);
    }

    private async Task<JsonElement> GetAsync(string path)
    {
        var (status, body) = await SendAsync(HttpMethod.Get, path, backend.Key);
        Assert.True(status == 200, body);
        return JsonDocument.Parse(body).RootElement;
    }

    private async Task<(int Status, string Body)> SendAsync(HttpMethod method, string path, string key)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        request.Headers.Authorization = new("Bearer", key);
        using var response = await backend.Client.SendAsync(request);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    public sealed class Backend : PathGateway
    {
        public const string Neighbour = "neighbour-key-for-the-cancel-tests";
        public const string Stranger = "stranger-key-for-the-cancel-tests";
        public const string Canceller = "canceller-key-for-the-cancel-tests";
        public const string Reader = "reader-key-for-the-cancel-tests";

        private readonly TestKit.Processes.TempFolder _folder = new();

        public override string Key => "app-key-for-the-cancel-tests";

        protected override Dictionary<string, string?> Environment => new()
        {
            ["CANCEL_APP"] = Key,
            ["CANCEL_NEIGHBOUR"] = Neighbour,
            ["CANCEL_STRANGER"] = Stranger,
            ["CANCEL_CANCELLER"] = Canceller,
            ["CANCEL_READER"] = Reader,
        };

        protected override string Config => $$"""
            policy: { bundle: "{{Rules()}}" }
            ledger: { lifecycle_events: true }
            providers:
              - { name: eu-1, kind: openai, region: eu-west-1 }
              - { name: eu-2, kind: openai, region: eu-north-1 }
              - { name: us, kind: openai, region: us-east-1 }
            deployments:
              - { name: first-of-eu, provider: eu-1, endpoints: ["{{Upstream.BaseUrl}}"], health: { path: "false" }, max_rest: 0s, circuit: { enabled: false } }
              - { name: second-of-eu, provider: eu-2, endpoints: ["{{Other.BaseUrl}}"], health: { path: "false" } }
              - { name: one-of-us, provider: us, endpoints: ["{{Other.BaseUrl}}"], health: { path: "false" } }
            models:
              - { name: fake-model, deployments: [ { use: first-of-eu } ] }
              - { name: both, deployments: [ { use: first-of-eu }, { use: second-of-eu, priority: 1 } ] }
              - { name: us-only, deployments: [ { use: one-of-us } ] }
            tenants:
              - name: acme
                projects: [ { name: search }, { name: other } ]
                keys:
                  - { name: app, project: search, secret: env:CANCEL_APP, scopes: ["inference:*", "models:read", "usage:read", "requests:read", "requests:cancel"] }
                  - { name: canceller, project: search, secret: env:CANCEL_CANCELLER, scopes: ["requests:cancel"] }
                  - { name: reader, project: search, secret: env:CANCEL_READER, scopes: ["requests:read"] }
                  - { name: neighbour, project: other, secret: env:CANCEL_NEIGHBOUR, scopes: ["inference:*", "models:read", "usage:read", "requests:read", "requests:cancel"] }
              - name: globex
                projects: [ { name: search } ]
                keys: [ { name: stranger, project: search, secret: env:CANCEL_STRANGER, scopes: ["inference:*", "models:read", "usage:read", "requests:read", "requests:cancel"] } ]
            """;

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            _folder.Dispose();
        }

        private string Rules() => _folder.Write("rules.yaml", """
            version: v7
            rules: [ { id: eu-only, when: { region: eu }, restrict: { regions: [eu] } } ]
            """);
    }
}
