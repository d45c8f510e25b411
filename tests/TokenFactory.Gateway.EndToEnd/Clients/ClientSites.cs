using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Clients;

/// <summary>A gateway for each kind of backend, shared by the tests of a class: whatever dialect the client speaks, it is
/// answered alike.</summary>
public sealed class ClientSites : IAsyncLifetime
{
    public const string OpenAi = "openai";
    public const string Anthropic = "anthropic";

    /// <summary>A backend of OpenAI's that speaks Responses, and nothing else but moderations.</summary>
    public const string Responses = "responses";
    private readonly Dictionary<string, ClientSite> _sites = [];

    public static TheoryData<string> Kinds => [OpenAi, Anthropic];

    public static TheoryData<string> ResponseKinds => [Responses, OpenAi, Anthropic];

    public ClientSite this[string kind] => _sites[kind];

    public async ValueTask InitializeAsync()
    {
        foreach (var kind in (string[])[OpenAi, Anthropic, Responses])
        {
            _sites[kind] = await ClientSite.StartAsync(kind);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var site in _sites.Values)
        {
            await site.DisposeAsync();
        }
    }
}
