using System.Text;
using System.Text.Json.Nodes;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Upstream;
using TokenFactory.TestKit.Upstream.Steps;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path;

/// <summary>Secrets are put into everything that passes the gateway, and then looked for in everything it leaves behind.</summary>
public sealed class CanaryTests(CanaryTests.Backend backend) : IClassFixture<CanaryTests.Backend>
{
    private const string Canary = "CANARY7f3a";

    [Fact]
    public async Task P8_no_prompt_completion_key_or_credential_is_left_anywhere()
    {
        // The first start prints its key, once; what is looked at are the lines after it.
        var printed = backend.Gateway.Output.Lines.Count;

        // 1. Through every kind of exit.
        backend.Upstream.Answer = _ => $"answer {Canary}-answer";
        List<string> answers = [];
        foreach (var stream in new[] { true, false })
        {
            backend.Upstream.Next(
                Script.Honest,
                Script.Json(400, Error("words", 400)),
                Script.Json(500, Error("trace", 500)),
                Script.Json(200, Error("inside", 500)),
                Script.Body(502, "text/html", $"<html>{Canary}-html</html>"),
                Script.Bytes(Encoding.ASCII.GetBytes($"{Canary}-NOT-HTTP\r\n")),
                Script.Frames($$$"""{"choices":[{"index":0,"delta":{"content":"{{{Canary}}}-cut"}}]}"""),
                Script.Honest.Cuts(Place.AfterPieces(1)));
            for (var request = 0; request < 8; request++)
            {
                answers.Add((await backend.ChatAsync(Request(stream), Headers())).Text);
            }
        }

        // 2. Through every refusal that looks at what the client sent.
        await RawHttp.SendAsync(backend.Gateway.BaseUrl, RawHttp.Post("/v1/chat/completions", Request(false), $"authorization: Bearer {Canary}-unknown-key-of-somebody"));
        await backend.ChatAsync(Encoding.UTF8.GetBytes($"{{\"model\":\"fake-model\",\"messages\":[\"{Canary}-malformed"));
        await backend.ChatAsync(Encoding.UTF8.GetBytes($"{{\"model\":\"fake-model\",\"messages\":\"{Canary}-wrong-type\"}}"));
        using (await backend.Client.GetAsync(new Uri($"/v1/{Canary}-path?q={Canary}-query", UriKind.Relative)))
        {
        }

        // 3. All were settled, with the two that warmed the process up. Nothing of it is left: logs, metrics, events, the ledger, the files.
        var events = await backend.EventsAsync(lines => lines.Count >= 18);
        Assert.Equal(18, events.Count);
        var places = new Dictionary<string, string>
        {
            ["logs"] = string.Join('\n', [.. backend.Gateway.Output.Lines.Skip(printed), .. backend.Gateway.Output.ErrorLines]),
            ["metrics"] = await backend.Client.GetStringAsync(new Uri("/metrics", UriKind.Relative)),
            ["usage"] = await backend.Client.GetStringAsync(new Uri("/v1/usage/logs?limit=1000", UriKind.Relative)),
            ["models"] = await backend.Client.GetStringAsync(new Uri("/v1/models", UriKind.Relative)),
            ["ready"] = await backend.Client.GetStringAsync(new Uri("/health/ready", UriKind.Relative)),
        };
        foreach (var file in Directory.EnumerateFiles(backend.Gateway.DataPath, "*", SearchOption.AllDirectories).Where(file => !file.EndsWith(".lock", StringComparison.Ordinal)))
        {
            places[System.IO.Path.GetFileName(file)] = await BytesAsync(file);
        }

        Assert.Contains(places.Keys, name => name.EndsWith("-wal", StringComparison.Ordinal));
        Assert.Contains(events[0].GetProperty("id").GetString()!, places["events.jsonl"], StringComparison.Ordinal);
        foreach (var (place, text) in places)
        {
            AssertAbsent(place, text, Canary);
            AssertAbsent(place, text, backend.Key);
            AssertAbsent(place, text, backend.Key[^49..]);
            AssertAbsent(place, text, Backend.Credential);
        }

        // 4. Nor in what another request is told, and the credential in no answer at all.
        backend.Upstream.Answer = _ => Told.Answer;
        backend.Upstream.Next(Scripts.Get("ServerError"));
        var other = await backend.ChatAsync(The.ChatRequest());
        AssertAbsent("another request's error", other.Text, Canary);
        Assert.All(answers, text => AssertAbsent("an answer", text, Backend.Credential));
        Assert.All(answers, text => AssertAbsent("an answer", text, $"{Canary}-trace"));
    }

    private static void AssertAbsent(string place, string text, string secret)
    {
        var at = text.IndexOf(secret, StringComparison.OrdinalIgnoreCase);
        Assert.True(at < 0, $"{place} holds {secret}: …{(at < 0 ? "" : text[Math.Max(0, at - 200)..Math.Min(text.Length, at + 60)])}");
    }

    private static string[] Headers() => [$"cookie: {Canary}-cookie", $"x-forwarded-for: {Canary}-edge", $"traceparent: {Canary}-trace", $"user-agent: {Canary}-agent", $"openai-organization: {Canary}-organization", $"x-request-id: {Canary}-id"];

    private static byte[] Request(bool stream) => The.ChatRequest(text: $"say {Canary}-prompt", stream: stream, change: request =>
    {
        request["user"] = $"{Canary}-user";
        request["metadata"] = new JsonObject { ["note"] = $"{Canary}-metadata" };
        request["stop"] = $"{Canary}-stop";
        request["seed_note"] = $"{Canary}-unknown-member";
        request["tools"] = new JsonArray(JsonNode.Parse($$$"""{"type":"function","function":{"name":"{{{Canary}}}-tool","description":"{{{Canary}}}-description","parameters":{"type":"object"} } }"""));
    });

    private static string Error(string words, int code) =>
        $$$"""{"error":{"message":"{{{Canary}}}-{{{words}}} {{{Backend.Credential}}}","type":"{{{Canary}}}-type","param":"{{{Canary}}}-param","code":{{{code}}} } }""";

    private static async Task<string> BytesAsync(string path)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new MemoryStream();
        await file.CopyToAsync(bytes);
        return Encoding.Latin1.GetString(bytes.ToArray());
    }

    public sealed class Backend : PathGateway
    {
        public const string Credential = "sk-CREDENTIALb41c-of-the-backend";

        protected override Dictionary<string, string?> Environment => new() { ["LAB_KEY"] = Credential };

        /// <summary>At the most talkative level an operator can set.</summary>
        protected override string Config => $$"""
            telemetry: { log_level: trace }
            providers: [ { name: lab, kind: openai, credential: env:LAB_KEY } ]
            deployments: [ { name: lab, provider: lab, endpoints: ["{{Upstream.BaseUrl}}"], health: { path: "false" }, max_rest: 0s, circuit: { enabled: false } } ]
            models: [ { name: fake-model, deployments: [ { use: lab } ] } ]
            """;
    }
}
