using System.Text.Json;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path;

/// <summary>A tenant's own endpoint on the whole path: its tenant has it like any other, and to everybody else it is nothing at all.</summary>
public sealed class OwnEndpointTests(OwnSite site) : IClassFixture<OwnSite>
{
    private static readonly string[] _secrets = ["acme-llm", "acme-own", "acme-model", "eu-west-1", OwnSite.Credential];

    [Fact]
    public async Task Its_tenant_asks_it_and_is_told_so()
    {
        var response = await ChatAsync(OwnSite.Acme, "acme-model");

        Assert.Equal((200, Told.Answer), (response.Status, Told.Text(response)));
        Assert.Equal(("acme-llm", "eu-west-1"), (response.Headers["x-tf-provider"].ToString(), response.Headers["x-tf-region"].ToString()));
        Assert.Contains(site.Own.Requests, request => request.RequestId == Told.RequestId(response) && request.Key == OwnSite.Credential);
    }

    [Fact]
    public async Task Of_a_mixed_model_each_tenant_gets_its_part()
    {
        Assert.Equal("acme-llm", (await ChatAsync(OwnSite.Acme, "mixed")).Headers["x-tf-provider"].ToString());
        Assert.Equal("shared", (await ChatAsync(OwnSite.Rival, "mixed")).Headers["x-tf-provider"].ToString());

        // Its bound is the own deployment's alone: whoever has the shared one is not held to it, and is not told of it.
        var longer = The.ChatRequest("mixed", text: string.Join(' ', Enumerable.Repeat("word", 500)));
        Assert.Equal(200, (await site.PostAsync(OwnSite.Rival, "/v1/chat/completions", longer)).Status);
    }

    /// <summary>The matrix: whatever a tenant can do with another's model answers as it does for a name that never was, byte for byte.</summary>
    [Theory]
    [InlineData("acme-model")]
    [InlineData("acme-anything")]
    public async Task P9_to_another_tenant_the_model_does_not_exist(string model)
    {
        var unknown = new string('z', model.Length);
        (string Way, Func<string, Task<RawResponse>> Ask)[] ways =
        [
            ("chat", name => ChatAsync(OwnSite.Rival, name)),
            ("chat, streamed", name => site.PostAsync(OwnSite.Rival, "/v1/chat/completions", The.ChatRequest(name, stream: true))),
            ("chat, too long for it", name => site.PostAsync(OwnSite.Rival, "/v1/chat/completions", The.ChatRequest(name, text: string.Join(' ', Enumerable.Repeat("word", 500))))),
            ("chat, another region", name => site.PostAsync(OwnSite.Rival, "/v1/chat/completions", The.ChatRequest(name), "x-tf-region: us")),
            ("completions", name => site.PostAsync(OwnSite.Rival, "/v1/completions", Json(new { model = name, prompt = "one two three" }))),
            ("embeddings", name => site.PostAsync(OwnSite.Rival, "/v1/embeddings", Json(new { model = name, input = "one two three" }))),
            ("messages", name => site.PostAsync(OwnSite.Rival, "/v1/messages", Message(name))),
            ("count_tokens", name => site.PostAsync(OwnSite.Rival, "/v1/messages/count_tokens", Message(name))),
            ("infer", name => site.PostAsync(OwnSite.Rival, "/v1/infer", Json(new { operation = "generate", model = name, prompt = "one two three" }))),
            ("model", name => site.GetAsync(OwnSite.Rival, $"/v1/models/{name}")),
            ("model, to Anthropic's clients", name => site.GetAsync(OwnSite.Rival, $"/v1/models/{name}", "anthropic-version: 2023-06-01")),
            ("requests", name => site.GetAsync(OwnSite.Rival, $"/v1/requests?model={name}")),
            ("usage", name => site.GetAsync(OwnSite.Rival, $"/v1/usage/logs?model={name}")),
        ];
        var before = site.Own.Requests.Count(request => request.Method == "POST");
        await ChatAsync(OwnSite.Acme, "acme-model");

        foreach (var (way, ask) in ways)
        {
            var (theirs, nobodys) = (await ask(model), await ask(unknown));

            Assert.True(Whole(theirs).Replace(model, unknown, StringComparison.Ordinal) == Whole(nobodys), $"{way}: {Whole(theirs)}\n{Whole(nobodys)}");
            Assert.True(nobodys.Status is 404 or 200, $"{way}: {nobodys.Status}");
        }

        Assert.Equal(before + 1, site.Own.Requests.Count(request => request.Method == "POST"));
    }

    [Fact]
    public async Task P9_no_list_of_another_tenant_has_anything_of_it()
    {
        var served = await ChatAsync(OwnSite.Acme, "acme-model");
        await ChatAsync(OwnSite.Rival, "mixed");
        await ChatAsync(OwnSite.Rival, "public");
        foreach (var path in (string[])["/v1/models", "/v1/requests", "/v1/usage/logs", "/v1/usage?group_by=model", "/v1/audit", $"/v1/requests/{Told.RequestId(served)}", $"/v1/audit/{Told.RequestId(served)}"])
        {
            var (plain, anthropic) = (await site.GetAsync(OwnSite.Rival, path), await site.GetAsync(OwnSite.Rival, path, "anthropic-version: 2023-06-01"));

            Assert.All(_secrets, secret => Assert.DoesNotContain(secret, plain.Text + anthropic.Text, StringComparison.Ordinal));
        }

        Assert.Equal(["loopback", "mixed", "public"], await ModelsAsync(OwnSite.Rival));
        Assert.Equal(["acme-model", "loopback", "mixed", "public"], await ModelsAsync(OwnSite.Acme));
        Assert.Contains("acme-model", (await site.GetAsync(OwnSite.Acme, "/v1/requests")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task P9_explain_leaves_out_what_is_not_the_keys_tenants_without_a_word_of_it()
    {
        var (mine, theirs, none) = (await ExplainAsync("acmekey1", "mixed"), await ExplainAsync("rivalkey", "mixed"), await ExplainAsync("rivalkey", "acme-model"));

        Assert.Contains("acme-own", mine, StringComparison.Ordinal);
        Assert.DoesNotContain("acme-own", theirs, StringComparison.Ordinal);
        Assert.Contains("404 model_not_found", none, StringComparison.Ordinal);
        Assert.DoesNotContain("acme-llm", theirs + none, StringComparison.Ordinal);
        var record = await site.Gateway.RunToEndAsync(["admin", "explain", "--request", Told.RequestId(await ChatAsync(OwnSite.Rival, "mixed")), "--config", site.ConfigFile, "--data", site.Gateway.DataPath]);
        Assert.Contains("shared", record.Output, StringComparison.Ordinal);
        Assert.All(_secrets, secret => Assert.DoesNotContain(secret, record.Output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task P9_a_redirect_of_a_tenants_endpoint_is_not_followed()
    {
        var before = site.Shared.Requests.Count;
        site.Own.Next(Script.Json(307, "{}"));
        site.Own.ResponseHeaders = new Dictionary<string, string> { ["location"] = $"{site.Shared.BaseUrl}/chat/completions" };
        try
        {
            Told.Refuses(await ChatAsync(OwnSite.Acme, "acme-model"), 502);
        }
        finally
        {
            site.Own.ResponseHeaders = new Dictionary<string, string>();
        }

        Assert.Equal(before, site.Shared.Requests.Count);
    }

    [Fact]
    public async Task Probes_ask_through_the_same_client_with_the_same_credential()
    {
        for (var i = 0; i < 200 && !site.Own.Requests.Any(request => request.Method == "GET"); i++)
        {
            await Task.Delay(25, TestContext.Current.CancellationToken);
        }

        Assert.Equal(OwnSite.Credential, site.Own.Requests.First(request => request.Method == "GET").Key);
    }

    /// <summary>A start that is refused names the mistake and no secret.</summary>
    [Theory]
    [InlineData("allow_http: true\n", "allow_http: false\n", "use https")]
    [InlineData("allow_addresses: [127.0.0.1]", "allow_addresses: [10.0.0.0/8]", "127.0.0.1 is no public address (loopback)")]
    [InlineData("tenant: acme\n", "tenant: rival\n", "it was sealed for provider 'acme-llm' of tenant 'acme'")]
    [InlineData("tenant: acme\n", "contract: { dpa: true }\n", "it was sealed for provider 'acme-llm' of tenant 'acme'")]
    [InlineData("name: acme-llm", "name: acme-two", "it was sealed for provider 'acme-llm' of tenant 'acme'")]
    [InlineData("OWN", "SHARED", "was sealed for http://127.0.0.1:")]
    public async Task P12_what_would_lead_elsewhere_does_not_start(string what, string becomes, string says)
    {
        var config = site.Config(await OwnSite.SealAsync("acme", site.Own));
        config = what == "OWN"
            ? config.Replace(site.Own.BaseUrl.ToString(), site.Shared.BaseUrl.ToString(), StringComparison.Ordinal)
            : config.Replace(what, becomes, StringComparison.Ordinal);
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => GatewayProcess.StartAsync(new GatewayOptions { Config = config, Environment = OwnSite.Environment }));

        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(OwnSite.Credential, refused.Message, StringComparison.Ordinal);
    }

    private static string Whole(RawResponse response)
    {
        // How long it took is written in digits, of which there may be more or fewer.
        var isTimed = response.Text.Contains("latency_ms", StringComparison.Ordinal);
        var headers = response.Headers.Where(header => header.Key.ToLowerInvariant() is not ("date" or "request-id" or "x-request-id") && !(isTimed && header.Key.Equals("content-length", StringComparison.OrdinalIgnoreCase))).OrderBy(header => header.Key, StringComparer.Ordinal);
        return $"{response.Status} {string.Join("; ", headers.Select(header => $"{header.Key}={header.Value}"))} {WithoutId(response.Text)}";
    }

    /// <summary>Anthropic's errors and the sovereignty contract's answers name the request; how long the latter took is its own too.</summary>
    private static string WithoutId(string text) => System.Text.RegularExpressions.Regex.Replace(text, """("request_id": ?"|"id": ?")[0-9a-f-]{36}"|"latency_ms": ?[0-9.]+""", "");

    private static byte[] Json(object body) => JsonSerializer.SerializeToUtf8Bytes(body);

    private static byte[] Message(string model) => Json(new { model, max_tokens = 10, messages = new[] { new { role = "user", content = "one two three" } } });

    private Task<RawResponse> ChatAsync(string key, string model) => site.PostAsync(key, "/v1/chat/completions", The.ChatRequest(model, maxTokens: 10));

    private async Task<string[]> ModelsAsync(string key)
    {
        using var list = JsonDocument.Parse((await site.GetAsync(key, "/v1/models")).Text);
        return [.. list.RootElement.GetProperty("data").EnumerateArray().Select(model => model.GetProperty("id").GetString()!)];
    }

    private async Task<string> ExplainAsync(string key, string model)
    {
        var result = await site.Gateway.RunToEndAsync(["admin", "explain", "--key", key, "--model", model, "--config", site.ConfigFile, "--data", site.Gateway.DataPath]);
        Assert.True(result.ExitCode == 0, result.Error);
        return result.Output;
    }
}
