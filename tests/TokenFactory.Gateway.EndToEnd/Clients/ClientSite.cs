using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Clients;

/// <summary>One gateway in front of one backend, which wants a key and is asked in its own dialect alone.</summary>
public sealed class ClientSite : IAsyncDisposable
{
    public const string Model = "far-model";
    private const string BackendKey = "the-key-of-the-far-backend";
    private readonly string _path;

    private ClientSite(FakeUpstream upstream, GatewayProcess gateway, string path) => (Upstream, Gateway, _path) = (upstream, gateway, path);

    public FakeUpstream Upstream { get; }

    public GatewayProcess Gateway { get; }

    public static async Task<ClientSite> StartAsync(string kind)
    {
        var upstream = await FakeUpstream.StartAsync();
        (upstream.RequiredKey, upstream.KnowsListedModelsOnly) = (BackendKey, true);
        var gateway = await GatewayProcess.StartAsync(new GatewayOptions
        {
            Environment = new Dictionary<string, string?> { ["FAR_KEY"] = BackendKey },
            Config = $$"""
                providers:
                  - { name: far, kind: {{(kind == ClientSites.Responses ? ClientSites.OpenAi : kind)}}, credential: env:FAR_KEY }
                deployments:
                  - name: far-deployment
                    provider: far
                    endpoints: ["{{upstream.BaseUrl}}"]
                    model: fake-model
                    operations: [{{(kind == ClientSites.Responses ? "responses, moderations" : kind == ClientSites.OpenAi ? "chat, completions, embeddings" : "chat")}}]
                    health: { path: "false" }
                    max_rest: 0s
                    circuit: { enabled: false }
                models:
                  - { name: {{Model}}, deployments: [ { use: far-deployment } ] }
                """,
        });
        return new ClientSite(upstream, gateway, kind switch
        {
            ClientSites.Anthropic => "/v1/messages",
            ClientSites.Responses => "/v1/responses",
            _ => "/v1/chat/completions",
        });
    }

    /// <summary>As it is at the start of a test: honest, and echoing.</summary>
    public ClientSite Fresh(Func<UpstreamAsk, string>? answer = null)
    {
        Upstream.IsHonest().Answer = answer ?? (ask => "Echo " + ask.LastUserText);
        return this;
    }

    /// <summary>The next request is played this script.</summary>
    public ClientSite Plays(string script)
    {
        Upstream.Next(Scripts.Get(script));
        return this;
    }

    /// <summary>The backend's own books of the last request, once they are closed.</summary>
    public async Task<UpstreamRequest> BooksAsync()
    {
        await Upstream.WaitForAsync(upstream => upstream.Requests is [.., { Over: true }]);
        var last = Upstream.Requests[^1];
        Assert.Equal((_path, BackendKey, "fake-model"), (last.Path, last.Key, last.Ask.Model));
        return last;
    }

    public async ValueTask DisposeAsync()
    {
        await Gateway.DisposeAsync();
        await Upstream.DisposeAsync();
    }
}
