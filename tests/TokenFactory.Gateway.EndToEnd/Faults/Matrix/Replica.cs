using System.Net.Http.Headers;
using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Servers;

namespace TokenFactory.Gateway.EndToEnd.Faults.Matrix;

/// <summary>One gateway of a site, and the lines between it and what it shares with the others.</summary>
internal sealed class Replica(GatewayProcess gateway, TcpProxy database, TcpProxy limits) : IAsyncDisposable
{
    private volatile bool _inRotation = true;

    public GatewayProcess Gateway => gateway;

    /// <summary>To PostgreSQL.</summary>
    public TcpProxy Database => database;

    /// <summary>To Redis.</summary>
    public TcpProxy Limits => limits;

    /// <summary>Whether the load balancer sends new calls here.</summary>
    public bool InRotation { get => _inRotation; set => _inRotation = value; }

    /// <summary>A connection of its own for every call in flight: a hang-up must cost nobody else anything.</summary>
    public HttpClient NewClient(string key)
    {
        var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = gateway.BaseUrl, Timeout = TimeSpan.FromSeconds(100) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    public async Task<bool> IsReadyAsync()
    {
        using var client = new HttpClient { BaseAddress = gateway.BaseUrl, Timeout = TimeSpan.FromSeconds(5) };
        try
        {
            using var answer = await client.GetAsync(new Uri("/health/ready", UriKind.Relative));
            return answer.IsSuccessStatusCode;
        }
        catch (Exception gone) when (gone is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await gateway.DisposeAsync();
        await database.DisposeAsync();
        await limits.DisposeAsync();
    }
}
