using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Clients;

/// <summary>A gateway for each kind of backend, shared by the tests of a class: whatever dialect the client speaks, it is
/// answered alike.</summary>
public sealed class ClientSites : IAsyncLifetime
{
    public const string OpenAi = "openai";
    public const string Anthropic = "anthropic";
    private readonly Dictionary<string, ClientSite> _sites = [];

    public static TheoryData<string> Kinds => [OpenAi, Anthropic];

    public ClientSite this[string kind] => _sites[kind];

    public async ValueTask InitializeAsync()
    {
        foreach (var kind in (string[])[OpenAi, Anthropic])
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
