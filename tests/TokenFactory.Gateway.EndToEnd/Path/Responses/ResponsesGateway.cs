using System.Text;
using System.Text.Json;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Processes;

namespace TokenFactory.Gateway.EndToEnd.Path.Responses;

/// <summary>A model that two backends speak Responses for, one that only chats, and keys of two tenants.</summary>
public sealed class ResponsesGateway : PathGateway
{
    public const string Credential = "sk-of-the-far-backend";

    public override string Key => Secret("acme");

    public static string Narrow => Secret("narrow");

    public static string Stranger => Secret("stranger");

    /// <summary>Of the first tenant, for a model that none of its responses are of.</summary>
    public static string Elsewhere => Secret("elsewhere");

    /// <summary>Of the first tenant, in a project that the policy denies everything.</summary>
    public static string Closed => Secret("closed");

    /// <summary>Of the first tenant; three requests a minute.</summary>
    public static string Slow => Secret("slow");

    protected override Dictionary<string, string?> Environment => new()
    {
        ["FAR_KEY"] = Credential,
        ["KEY_ACME"] = Secret("acme"),
        ["KEY_NARROW"] = Secret("narrow"),
        ["KEY_STRANGER"] = Secret("stranger"),
        ["KEY_ELSEWHERE"] = Secret("elsewhere"),
        ["KEY_SLOW"] = Secret("slow"),
        ["KEY_CLOSED"] = Secret("closed"),
    };

    private readonly TempFolder _folder = new();

    protected override string Config => $$"""
        policy: { bundle: "{{_folder.Write("rules.yaml", "version: v1\nrules: [ { id: closed, when: { project: closed }, deny: [closed] } ]")}}" }
        providers:
          - { name: lab, kind: openai, region: eu-west-1, credential: env:FAR_KEY }
          - { name: overseas, kind: openai, region: us-east-1, credential: env:FAR_KEY }
          - { name: desk, kind: manual }
        deployments:
          - name: far
            provider: lab
            endpoints: ["{{Upstream.BaseUrl}}"]
            model: fake-model
            operations: [responses]
            usd_per_million: { input: 1, output: 2 }
            timeouts: { connect: 1s, first_byte: 1500ms, idle: 1500ms }
            health: { path: "false" }
            max_rest: 0s
            circuit: { enabled: false }
          - name: oversea
            provider: overseas
            endpoints: ["{{Other.BaseUrl}}"]
            model: fake-model
            operations: [responses]
            health: { path: "false" }
            max_rest: 0s
            circuit: { enabled: false }
          - { name: by-hand, provider: desk, answer: Write to the help desk. }
          - { name: embeds, provider: lab, endpoints: ["{{Upstream.BaseUrl}}"], model: fake-model, operations: [embeddings], health: { path: "false" } }
        models:
          - { name: talker, deployments: [ { use: far } ] }
          - { name: wanderer, deployments: [ { use: oversea, priority: 0 }, { use: far, priority: 1 } ] }
          - { name: helped, deployments: [ { use: by-hand } ] }
          - { name: embedder, deployments: [ { use: embeds } ] }
          - { name: fake-model, deployments: [ { use: loopback } ] }
        tiers:
          - { name: narrow, limits: { tokens_per_minute: 2000 } }
        tenants:
          - name: acme
            projects: [ { name: search }, { name: closed } ]
            keys:
              - { name: closed, project: closed, secret: env:KEY_CLOSED }
              - { name: all, project: search, secret: env:KEY_ACME }
              - { name: elsewhere, project: search, secret: env:KEY_ELSEWHERE, models: [embedder] }
              - { name: slow, project: search, secret: env:KEY_SLOW, limits: { requests_per_minute: 3 } }
          - name: small
            tier: narrow
            projects: [ { name: search } ]
            keys: [ { name: all, project: search, secret: env:KEY_NARROW } ]
          - name: stranger
            projects: [ { name: search } ]
            keys: [ { name: all, project: search, secret: env:KEY_STRANGER } ]
        """;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Dispose();
    }

    public static byte[] Body(bool stream, string model = "talker", string? previous = null, int? maxOutput = null, string text = "one two three")
    {
        var body = new Dictionary<string, object> { ["model"] = model, ["input"] = (object[])[new { role = "user", content = text }] };
        if (stream)
        {
            body["stream"] = true;
        }

        if (previous is not null)
        {
            body["previous_response_id"] = previous;
        }

        if (maxOutput is { } most)
        {
            body["max_output_tokens"] = most;
        }

        return JsonSerializer.SerializeToUtf8Bytes(body);
    }

    public Task<RawResponse> SendAsync(byte[] body, string? key = null, params string[] headers) => RawHttp.SendAsync(
        Gateway.BaseUrl, RawHttp.Post("/v1/responses", body, [$"authorization: Bearer {key ?? Key}", .. headers]), TimeSpan.FromSeconds(30));

    /// <param name="path">Below a response's own.</param>
    public Task<RawResponse> AboutAsync(string method, string id, string path = "", string? key = null) => RawHttp.SendAsync(
        Gateway.BaseUrl,
        Encoding.Latin1.GetBytes($"{method} /v1/responses/{id}{path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key ?? Key}\r\ncontent-length: 0\r\n\r\n"),
        TimeSpan.FromSeconds(30));

    private static string Secret(string name) => $"{name}-key-that-is-long-enough";
}
