using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Upstream;
using TokenFactory.TestKit.Upstream.Steps;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path;

/// <summary>What crosses the gateway in either direction is a short list; everything else stays where it came from.</summary>
public sealed class HeaderTests(HeaderTests.Backend backend) : IClassFixture<HeaderTests.Backend>
{
    private static readonly string[] _up = ["accept", "authorization", "content-length", "content-type", "host", "user-agent", "x-request-id"];

    private static readonly string[] _down =
    [
        "cache-control", "content-length", "content-type", "date", "transfer-encoding", "x-accel-buffering", "x-request-id",
        "x-tf-attempts", "x-tf-model", "x-tf-model-version", "x-tf-policy-decision", "x-tf-provider", "x-tf-region",
    ];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task P8_nothing_a_client_or_its_edge_sends_reaches_the_backend(bool stream)
    {
        var response = await backend.ChatAsync(
            The.ChatRequest(stream: stream),
            "cookie: session=client-secret",
            "x-api-key: client-secret",
            "x-forwarded-for: 203.0.113.7",
            "x-forwarded-proto: https",
            "x-forwarded-host: client-secret.example",
            "forwarded: for=203.0.113.7",
            "x-pomerium-jwt-assertion: client-secret",
            "x-pomerium-claim-email: client-secret@example.com",
            "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "tracestate: client=secret",
            "baggage: user=client-secret",
            "openai-organization: client-secret",
            "openai-project: client-secret",
            "x-stainless-lang: csharp",
            "user-agent: client-secret/1.0",
            "x-request-id: client-secret",
            "te: trailers",
            "expect: 100-continue",
            "connection: keep-alive, x-hop",
            "x-hop: client-secret");

        Assert.Equal(200, response.Status);
        var headers = backend.Upstream.Requests[^1].Headers;
        Assert.Equal(_up, headers.Keys.Select(name => name.ToLowerInvariant()).Order(StringComparer.Ordinal));
        Assert.Equal($"Bearer {Backend.Credential}", headers.Authorization);
        Assert.Equal(Told.RequestId(response), headers["x-request-id"]);
        Assert.DoesNotContain(headers, header => header.Value.ToString().Contains("client-secret", StringComparison.Ordinal) || header.Value.ToString().Contains(backend.Key, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("honest", true)]
    [InlineData("honest", false)]
    [InlineData("ServerError", false)]
    [InlineData("BadRequestOfVllm", false)]
    [InlineData("UnauthorizedEchoingTheKey", true)]
    public async Task P8_no_header_of_the_backend_reaches_the_client(string script, bool stream)
    {
        backend.Upstream.Next(script == "honest" ? Script.Honest : Scripts.Get(script));

        var response = await backend.ChatAsync(The.ChatRequest(stream: stream));

        Assert.Empty(response.Headers.Keys.Select(name => name.ToLowerInvariant()).Except(_down));
        Told.HidesTheBackend(response.Headers, response.Text, backend.Upstream.Port);
        Assert.DoesNotContain(response.Headers, header => header.Value.ToString().Contains("backend-secret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task P6_the_client_is_told_where_its_data_was()
    {
        var response = await backend.ChatAsync(The.ChatRequest());

        Assert.Equal(
            ("lab", "eu-west-1", "fake-model", "2026-01", "1"),
            (Header("x-tf-provider"), Header("x-tf-region"), Header("x-tf-model"), Header("x-tf-model-version"), Header("x-tf-attempts")));
        Assert.True(Guid.TryParse(Header("x-tf-policy-decision"), out _));

        string Header(string name) => response.Headers[name].ToString();
    }

    [Fact]
    public async Task P8_a_credential_that_the_backend_echoes_is_cut_out()
    {
        backend.Upstream.Next(Script.Json(400, $$$"""{"error":{"message":"who is {{{Backend.Credential}}}?","type":"invalid_request_error","param":null,"code":null}}"""));

        var response = await backend.ChatAsync(The.ChatRequest());

        Told.Refuses(response, 400);
        Assert.DoesNotContain(Backend.Credential, response.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("code")]
    [InlineData("type")]
    [InlineData("param")]
    public async Task P8_wherever_it_echoes_it(string member)
    {
        backend.Upstream.Next(Script.Json(400, $$$"""{"error":{"message":"no","{{{member}}}":"{{{Backend.Credential}}}"}}"""));

        Assert.DoesNotContain(Backend.Credential, (await backend.ChatAsync(The.ChatRequest())).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task P8_also_inside_a_stream()
    {
        backend.Upstream.Next(Script.Stream().Fails(Place.AfterPieces(2), $$$"""{"error":{"message":"who is {{{Backend.Credential}}}?","type":"invalid_request_error","param":null,"code":400}}"""));

        var response = await backend.ChatAsync(The.ChatRequest(stream: true));

        Told.Breaks(response);
        Assert.DoesNotContain(Backend.Credential, response.Text, StringComparison.Ordinal);
    }

    public sealed class Backend : PathGateway
    {
        public const string Credential = "sk-the-credential-of-the-backend";

        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            Upstream.ResponseHeaders = new Dictionary<string, string>
            {
                ["server"] = "uvicorn",
                ["x-backend-node"] = "fake-node-1",
                ["set-cookie"] = "sticky=backend-secret",
                ["via"] = "1.1 backend-secret",
                ["x-ratelimit-remaining-requests"] = "7",
                ["openai-organization"] = "backend-secret",
                ["x-tf-region"] = "backend-secret",
                ["alt-svc"] = "h3=backend-secret",
            };
        }

        protected override Dictionary<string, string?> Environment => new() { ["LAB_KEY"] = Credential };

        protected override string Config => $$"""
            providers: [ { name: lab, kind: openai, region: eu-west-1, credential: env:LAB_KEY } ]
            deployments: [ { name: lab, provider: lab, version: "2026-01", endpoints: ["{{Upstream.BaseUrl}}"], health: { path: "false" }, max_rest: 0s, circuit: { enabled: false } } ]
            models: [ { name: fake-model, deployments: [ { use: lab } ] } ]
            """;
    }
}
