using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Upstream;
using TokenFactory.TestKit.Upstream.Steps;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path;

/// <summary>What the gateway does not serve: told in OpenAI's shape, with what to do, without a word to any backend, and
/// where HTTP allows on a connection that goes on.</summary>
public sealed class RefusalTests(RefusalTests.Backend backend) : IClassFixture<RefusalTests.Backend>
{
    private const string Chat = "/v1/chat/completions";

    private static readonly string _deep = string.Concat(Enumerable.Repeat("[", 200)) + string.Concat(Enumerable.Repeat("]", 200));

    /// <summary>Name; body; status; code; param; a part of the message.</summary>
    private static readonly Dictionary<string, (string Body, int Status, string? Code, string? Param, string Message)> _bodies = new()
    {
        ["no JSON"] = ("hello", 400, null, null, "line 1, byte 1"),
        ["empty"] = ("", 400, null, null, "JSON"),
        ["cut short"] = ("{\"model\":\"fake-model\",\n\"messages\":[", 400, null, null, "line 2"),
        ["missing comma"] = ("{\"model\":\"fake-model\"\n \"messages\":[]}", 400, null, null, "line 2, byte 2"),
        ["text after the value"] = (Messages("") + "x", 400, null, null, "JSON"),
        ["two values"] = (Messages("") + "{}", 400, null, null, "JSON"),
        ["an array"] = ("[]", 400, null, null, "object"),
        ["a comment"] = ("/* x */" + Messages(""), 400, null, null, "JSON"),
        ["too deep"] = (Messages($",\"x\":{_deep}"), 400, null, null, "deeper than 64"),
        ["no model"] = ("{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}", 400, null, "model", "/v1/models"),
        ["model of a wrong type"] = ("{\"model\":7,\"messages\":[]}", 400, null, "model", "string"),
        ["empty model"] = ("{\"model\":\"\",\"messages\":[]}", 400, null, "model", "256"),
        ["model twice"] = (Messages(",\"model\":\"other\""), 400, null, "model", "more than once"),
        ["model twice, once escaped"] = (Messages(",\"mod\\u0065l\":\"other\""), 400, null, "model", "more than once"),
        ["no messages"] = ("{\"model\":\"fake-model\"}", 400, null, "messages", "messages"),
        ["no message"] = ("{\"model\":\"fake-model\",\"messages\":[]}", 400, null, "messages", "at least one"),
        ["messages of a wrong type"] = ("{\"model\":\"fake-model\",\"messages\":\"hi\"}", 400, null, "messages", "messages"),
        ["stream of a wrong type"] = (Messages(",\"stream\":\"yes\""), 400, null, "stream", "true or false"),
        ["stream twice"] = (Messages(",\"stream\":true,\"stream\":false"), 400, null, "stream", "more than once"),
        ["max_tokens of 0"] = (Messages(",\"max_tokens\":0"), 400, null, "max_tokens", "from 1 to 1000000000"),
        ["max_tokens with a fraction"] = (Messages(",\"max_tokens\":1.5"), 400, null, "max_tokens", "whole number"),
        ["max_tokens as text"] = (Messages(",\"max_tokens\":\"5\""), 400, null, "max_tokens", "whole number"),
        ["n too large"] = (Messages(",\"n\":1000000"), 400, null, "n", "128"),
        ["stream_options of a wrong type"] = (Messages(",\"stream\":true,\"stream_options\":7"), 400, null, "stream_options", "object"),
        ["unknown model"] = (Messages("", "no-such-model"), 404, "model_not_found", "model", "/v1/models"),
        ["model of another project"] = (Messages("", "forbidden-model"), 403, "insufficient_permissions", "model", "/v1/models"),
        ["prompt over the model's context"] = (Messages("", "fake-model", string.Concat(Enumerable.Repeat(" word", 300))), 400, "context_length_exceeded", "messages", "at most 256"),
        ["prompt and output over the model's context"] = (Messages(",\"max_tokens\":250"), 400, "context_length_exceeded", "messages", "at most 256"),
    };

    public static TheoryData<string> Bodies => [.. _bodies.Keys];

    public static TheoryData<string, string, int, string?> Keys => new()
    {
        { "none", "", 401, null },
        { "unknown", "sk-not-a-key-of-this-gateway", 401, "invalid_api_key" },
        { "with a typing error", Backend.AppKey[..^1] + "X", 401, "invalid_api_key" },
        { "in another case", Backend.AppKey.ToUpperInvariant(), 401, "invalid_api_key" },
        { "very long", new string('k', 4000), 401, "invalid_api_key" },
        { "expired", Backend.ExpiredKey, 401, "invalid_api_key" },
        { "without the scope", Backend.ReaderKey, 403, "insufficient_permissions" },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task P4_a_bad_body_is_refused_on_a_connection_that_goes_on(string name)
    {
        var (body, status, code, param, message) = _bodies[name];

        var error = await RefusedAsync(backend.ChatBytes(Encoding.UTF8.GetBytes(body)), status, goesOn: true);

        Assert.Equal((code, param), (error.GetProperty("code").GetString(), error.GetProperty("param").GetString()));
        Assert.Contains(message, error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task P4_a_key_that_is(string name, string key, int status, string? code)
    {
        string[] headers = key.Length == 0 ? [] : [$"authorization: Bearer {key}"];

        var error = await RefusedAsync(RawHttp.Post(Chat, The.ChatRequest(), headers), status, goesOn: true);

        Assert.Equal(code, error.GetProperty("code").GetString());
        Assert.True(key.Length == 0 || !error.ToString().Contains(key, StringComparison.OrdinalIgnoreCase), name);
    }

    [Theory]
    [InlineData("GET", Chat, 405)]
    [InlineData("PUT", Chat, 405)]
    [InlineData("DELETE", "/v1/embeddings", 405)]
    [InlineData("POST", "/v1/models", 405)]
    [InlineData("POST", "/v1/nothing", 404)]
    [InlineData("GET", "/", 404)]
    [InlineData("POST", "/v1/chat/completions/", 200)]
    [InlineData("POST", "/v1/chat%2Fcompletions", 404)]
    [InlineData("POST", "/v1/chat/../../v1/chat/completions/../nothing", 404)]
    [InlineData("POST", "//127.0.0.1:1/v1/chat/completions", 404)]
    public async Task P4_a_wrong_address_reaches_nothing(string method, string path, int status)
    {
        var request = Encoding.Latin1.GetBytes($"{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {backend.Key}\r\ncontent-type: application/json\r\ncontent-length: {Valid.Length}\r\n\r\n");
        if (status == 200)
        {
            Assert.Equal(200, (await RawHttp.SendAsync(backend.Gateway.BaseUrl, [.. request, .. Valid])).Status);
            return;
        }

        await using var raw = await RawHttp.ConnectAsync(backend.Gateway.BaseUrl);
        var before = backend.Upstream.Totals.Requests;
        await raw.SendAsync((byte[])[.. request, .. Valid]);
        var response = await raw.ReadResponseAsync();

        var error = Told.Refuses(response, status);
        Assert.Equal(before, backend.Upstream.Totals.Requests);
        Assert.Equal(status == 405 ? "method_not_supported" : "unknown_url", error.GetProperty("code").GetString());
        Assert.Equal(status == 405, response.Headers.Allow.Count > 0);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/jsonp")]
    [InlineData("")]
    public async Task P4_another_content_type_is_415(string type) =>
        await RefusedAsync(Post($"content-type: {type}\r\ncontent-length: {Valid.Length}\r\n", Valid), 415, goesOn: true);

    [Fact]
    public async Task P4_a_content_encoding_is_415() =>
        await RefusedAsync(Post($"content-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: {Valid.Length}\r\n", Valid), 415, goesOn: true);

    [Fact]
    public async Task P10_a_body_that_is_too_large_is_413_before_it_is_read()
    {
        await using var raw = await RawHttp.ConnectAsync(backend.Gateway.BaseUrl);
        await raw.SendAsync(Post("content-type: application/json\r\ncontent-length: 99999999999\r\n", []));

        var error = Told.Refuses(await raw.ReadResponseAsync(), 413);

        Assert.Equal("request_too_large", error.GetProperty("code").GetString());
        Assert.Contains("65536 bytes", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task P10_a_body_in_chunks_is_413_as_soon_as_it_is_too_large()
    {
        await using var raw = await RawHttp.ConnectAsync(backend.Gateway.BaseUrl);
        await raw.SendAsync(Post("content-type: application/json\r\ntransfer-encoding: chunked\r\n", []));
        await raw.SendAsync($"{70_000:x}\r\n{new string('x', 70_000)}\r\n");

        Told.Refuses(await raw.ReadResponseAsync(), 413);
    }

    [Fact]
    public async Task P4_a_body_in_chunks_is_served_and_its_connection_goes_on()
    {
        var request = Post("content-type: application/json\r\ntransfer-encoding: chunked\r\n", Encoding.Latin1.GetBytes($"{Valid.Length:x}\r\n{Encoding.UTF8.GetString(Valid)}\r\n0\r\n\r\n"));

        Assert.Equal(200, (await RawHttp.SendAsync(backend.Gateway.BaseUrl, request)).Status);
    }

    [Theory]
    [InlineData("content-length: 5\r\ntransfer-encoding: chunked\r\n", "0\r\n\r\n")]
    [InlineData("transfer-encoding: chunked\r\ncontent-length: 5\r\n", "0\r\n\r\n")]
    [InlineData("content-length: 5\r\ncontent-length: 6\r\n", "{}   ")]
    [InlineData("content-length: -1\r\n", "")]
    [InlineData("content-length: 5x\r\n", "{}   ")]
    [InlineData("transfer-encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n")]
    [InlineData("transfer-encoding: chunked\r\n", "2\r\n{}xx0\r\n\r\n")]
    [InlineData("transfer-encoding: gzip, chunked\r\n", "0\r\n\r\n")]
    [InlineData("transfer-encoding: identity\r\n", "")]
    public async Task P4_framing_that_two_readers_could_read_differently_is_refused(string framing, string body)
    {
        var before = backend.Upstream.Totals.Requests;

        var response = await RawHttp.SendAsync(backend.Gateway.BaseUrl, Post("content-type: application/json\r\n" + framing, Encoding.Latin1.GetBytes(body)));

        Assert.InRange(response.Status, 400, 501);
        Assert.Equal(before, backend.Upstream.Totals.Requests);
        if (response.Body.Length > 0)
        {
            Told.Error(response.Text);
        }
    }

    [Fact]
    public async Task P4_bytes_that_are_no_UTF8_are_refused()
    {
        byte[] body = [.. "{\"model\":\"fake-model\",\"messages\":[{\"role\":\"user\",\"content\":\""u8, 0xC3, 0x28, .. "\"}]}"u8];

        var error = await RefusedAsync(backend.ChatBytes(body), 400, goesOn: true);

        Assert.Contains("UTF-8", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task P4_a_body_that_ends_early_dispatches_nothing()
    {
        var before = backend.Upstream.Totals.Requests;
        await using var raw = await RawHttp.ConnectAsync(backend.Gateway.BaseUrl);
        await raw.SendAsync(Post("content-type: application/json\r\ncontent-length: 5000\r\n", Valid));
        raw.HalfClose();

        var response = await raw.ReadResponseAsync();

        Assert.True(response.Status is 0 or 400, response.Text);
        Assert.Equal(before, backend.Upstream.Totals.Requests);
    }

    [Fact]
    public async Task P4_a_key_made_and_revoked_while_serving_is_seen_within_two_seconds()
    {
        var made = await CommandAsync("create", "--tenant", "acme", "--project", "search", "--name", Some.Tag("key"));
        var key = made.Output.Trim();
        var works = await UntilAsync(key, status => status == 200);
        await CommandAsync("revoke", key.Split('_')[1]);
        var stops = await UntilAsync(key, status => status == 401);

        Assert.True(works < TimeSpan.FromSeconds(2) && stops < TimeSpan.FromSeconds(2), $"works after {works}, stops after {stops}");
        var error = await RefusedAsync(RawHttp.Post(Chat, Valid, $"authorization: Bearer {key}"), 401, goesOn: true);
        Assert.Contains("revoked", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task P5_the_request_after_the_limit_is_told_when_to_come_again()
    {
        var responses = new List<RawResponse>();
        for (var request = 0; request < 4; request++)
        {
            responses.Add(await RawHttp.SendAsync(backend.Gateway.BaseUrl, RawHttp.Post(Chat, Valid, $"x-api-key: {Backend.SlowKey}")));
        }

        Assert.Equal([200, 200, 200, 429], responses.Select(response => response.Status));
        Assert.Equal(["2", "1", "0", "0"], responses.Select(response => response.Headers["x-ratelimit-remaining-requests"].ToString()));
        Assert.All(responses, response => Assert.Equal("3", response.Headers["x-ratelimit-limit-requests"]));
        Assert.Equal("rate_limit_exceeded", Told.Refuses(responses[3], 429).GetProperty("code").GetString());
        Assert.InRange(int.Parse(responses[3].Headers.RetryAfter.ToString(), CultureInfo.InvariantCulture), 1, 60);
    }

    [Fact]
    public async Task P5_a_used_up_budget_says_that_waiting_does_not_help()
    {
        RawResponse response;
        var served = 0;
        do
        {
            response = await RawHttp.SendAsync(backend.Gateway.BaseUrl, RawHttp.Post(Chat, The.ChatRequest(maxTokens: 10), $"x-api-key: {Backend.PoorKey}"));
            served += response.Status == 200 ? 1 : 0;
        }
        while (response.Status == 200 && served < 20);

        Assert.InRange(served, 1, 10);
        Assert.Equal("insufficient_quota", Told.Refuses(response, 429).GetProperty("code").GetString());
        Assert.Equal("false", response.Headers["x-should-retry"]);
        Assert.Equal(0, response.Headers.RetryAfter.Count);
    }

    [Fact]
    public async Task P5_no_more_requests_run_at_once_than_allowed()
    {
        var gate = new Gate();
        backend.Upstream.On("gated", Script.Honest.Stalls(Place.Start, gate));
        var request = RawHttp.Post(Chat, The.ChatRequest("gated"), $"x-api-key: {Backend.NarrowKey}");

        var calls = Enumerable.Range(0, 20).Select(_ => RawHttp.SendAsync(backend.Gateway.BaseUrl, request)).ToList();
        for (var attempt = 0; attempt < 400 && calls.Count(call => call.IsCompleted) < 15; attempt++)
        {
            await Task.Delay(25);
        }

        Assert.Equal(5, backend.Upstream.Requests.Count(one => one.Ask.Model == "gated"));
        gate.Open();
        var responses = await Task.WhenAll(calls);
        Assert.Equal((5, 15), (responses.Count(one => one.Status == 200), responses.Count(one => one.Status == 429)));
        Assert.All(responses.Where(one => one.Status == 429), one => Assert.Equal(1, one.Headers.RetryAfter.Count));

        // What was taken was given back.
        Assert.Equal(200, (await RawHttp.SendAsync(backend.Gateway.BaseUrl, request)).Status);
    }

    [Fact]
    public async Task P5_a_client_that_hangs_up_gives_its_place_back()
    {
        for (var round = 0; round < 10; round++)
        {
            var gate = new Gate();
            backend.Upstream.Next(Script.Honest.Stalls(Place.Start, gate));
            await using var raw = await RawHttp.ConnectAsync(backend.Gateway.BaseUrl);
            await raw.SendAsync(RawHttp.Post(Chat, Valid, $"x-api-key: {Backend.NarrowKey}"));
            await gate.Reached;
            raw.HangUp();
            await backend.SettlementAsync(backend.Upstream.Requests[^1].RequestId!);
        }

        Assert.Equal(200, (await RawHttp.SendAsync(backend.Gateway.BaseUrl, RawHttp.Post(Chat, Valid, $"x-api-key: {Backend.NarrowKey}"))).Status);
    }

    private static byte[] Valid { get; } = The.ChatRequest();

    private static string Messages(string more, string model = "fake-model", string text = "hi") =>
        $$"""{"model":"{{model}}","messages":[{"role":"user","content":"{{text}}"}]{{more}}}""";

    private byte[] Post(string headers, ReadOnlySpan<byte> body) =>
        [.. Encoding.Latin1.GetBytes($"POST {Chat} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {backend.Key}\r\n{headers}\r\n"), .. body];

    /// <summary>Refused, with nothing dispatched and nothing settled; then the same connection serves a good request.</summary>
    private async Task<JsonElement> RefusedAsync(byte[] request, int status, bool goesOn)
    {
        var before = backend.Upstream.Totals.Requests;
        await using var raw = await RawHttp.ConnectAsync(backend.Gateway.BaseUrl);
        await raw.SendAsync(request);
        var response = await raw.ReadResponseAsync();

        var error = Told.Refuses(response, status);
        Assert.Equal(before, backend.Upstream.Totals.Requests);
        if (goesOn)
        {
            await raw.SendAsync(backend.ChatBytes(Valid));
            Assert.Equal(200, (await raw.ReadResponseAsync()).Status);
            var id = Told.RequestId(response);
            Assert.DoesNotContain(await backend.SettlementsAsync(), row => row.GetProperty("request_id").GetString() == id);
        }

        return error;
    }

    private async Task<CommandResult> CommandAsync(params string[] arguments)
    {
        var result = await backend.Gateway.RunToEndAsync(["admin", "keys", .. arguments, "--data", backend.Gateway.DataPath, "--config", System.IO.Path.Combine(backend.ConfigFolder.Path, "gateway.yaml")]);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result;
    }

    private async Task<TimeSpan> UntilAsync(string key, Func<int, bool> wanted)
    {
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10))
        {
            if (wanted((await RawHttp.SendAsync(backend.Gateway.BaseUrl, RawHttp.Post(Chat, Valid, $"authorization: Bearer {key}"))).Status))
            {
                break;
            }

            await Task.Delay(20);
        }

        return Stopwatch.GetElapsedTime(started);
    }

    public sealed class Backend : PathGateway
    {
        public const string AppKey = "a-key-of-the-application";
        public const string ExpiredKey = "a-key-that-has-expired-long-ago";
        public const string ReaderKey = "a-key-that-only-reads-usage";
        public const string SlowKey = "a-key-of-three-requests-a-minute";
        public const string PoorKey = "a-key-of-a-project-with-a-budget";
        public const string NarrowKey = "a-key-of-five-requests-at-once";

        /// <summary>For commands, which read the same configuration.</summary>
        public TempFolder ConfigFolder { get; } = new();

        public override string Key => AppKey;

        protected override Dictionary<string, string?> Environment => new()
        {
            ["APP_KEY"] = AppKey,
            ["EXPIRED_KEY"] = ExpiredKey,
            ["READER_KEY"] = ReaderKey,
            ["SLOW_KEY"] = SlowKey,
            ["POOR_KEY"] = PoorKey,
            ["NARROW_KEY"] = NarrowKey,
        };

        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            ConfigFolder.Write("gateway.yaml", Config);
        }

        protected override string Config => $$"""
            server: { body_limit: 64KiB }
            providers: [ { name: lab, kind: openai } ]
            deployments: [ { name: lab, provider: lab, endpoints: ["{{Upstream.BaseUrl}}"], max_context: 256, health: { path: "false" } } ]
            models:
              - { name: fake-model, deployments: [ { use: lab } ] }
              - { name: gated, deployments: [ { use: lab } ] }
              - { name: forbidden-model, deployments: [ { use: lab } ] }
            tenants:
              - name: acme
                projects:
                  - { name: search, models: [fake-model, gated] }
                  - { name: poor, budgets: { tokens_per_month: 80 } }
                keys:
                  - { name: app, project: search, secret: env:APP_KEY }
                  - { name: expired, project: search, secret: env:EXPIRED_KEY, expires: 2026-01-01 }
                  - { name: reader, project: search, secret: env:READER_KEY, scopes: ["usage:read"] }
                  - { name: slow, project: search, secret: env:SLOW_KEY, limits: { requests_per_minute: 3 } }
                  - { name: narrow, project: search, secret: env:NARROW_KEY, limits: { concurrent: 5 } }
                  - { name: poor, project: poor, secret: env:POOR_KEY }
            """;
    }
}
