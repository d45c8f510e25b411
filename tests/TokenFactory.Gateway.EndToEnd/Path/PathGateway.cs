using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path;

/// <summary>One gateway process in front of two scripted backends, shared by the tests of a class, which run one after the other.</summary>
public abstract class PathGateway : IAsyncLifetime
{
    public FakeUpstream Upstream { get; private set; } = null!;

    public FakeUpstream Other { get; private set; } = null!;

    public GatewayProcess Gateway { get; private set; } = null!;

    /// <summary>Has the address and a key with the default scopes.</summary>
    public HttpClient Client { get; private set; } = null!;

    /// <summary>The one a first start prints, unless the configuration has keys of its own.</summary>
    public virtual string Key => Gateway.Key;

    protected abstract string Config { get; }

    protected virtual Dictionary<string, string?> Environment => [];

    public virtual async ValueTask InitializeAsync()
    {
        Upstream = await FakeUpstream.StartAsync();
        Other = await FakeUpstream.StartAsync(new FakeUpstreamOptions { Name = "other-" });
        Upstream.Answer = Other.Answer = _ => Told.Answer;
        Gateway = await GatewayProcess.StartAsync(new GatewayOptions { Config = Config, Environment = Environment });
        Client = new HttpClient { BaseAddress = Gateway.BaseUrl, Timeout = TimeSpan.FromSeconds(30) };
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);

        // A process's first requests are slow, and some tests count in tenths of a second.
        foreach (var stream in new[] { true, false })
        {
            await ChatAsync(The.ChatRequest(stream: stream));
        }
    }

    public virtual async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        if (Gateway is not null)
        {
            await Gateway.DisposeAsync();
        }

        await Upstream.DisposeAsync();
        await Other.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>A chat request on a connection of its own, which shows how it ended.</summary>
    public Task<RawResponse> ChatAsync(byte[] body, params string[] headers) => RawHttp.SendAsync(Gateway.BaseUrl, ChatBytes(body, headers), TimeSpan.FromSeconds(30));

    public byte[] ChatBytes(byte[] body, params string[] headers) => RawHttp.Post("/v1/chat/completions", body, [$"authorization: Bearer {Key}", .. headers]);

    /// <summary>The one settlement of this request; waits for it, because a client that went away is not told of it.</summary>
    public async Task<JsonElement> SettlementAsync(string requestId)
    {
        for (var attempt = 0; attempt < 200; attempt++)
        {
            var found = (await SettlementsAsync()).Where(row => row.GetProperty("request_id").GetString() == requestId).ToList();
            if (found.Count > 0)
            {
                return Assert.Single(found);
            }

            await Task.Delay(25);
        }

        throw new TimeoutException($"The ledger has no settlement of {requestId}:\n{Gateway.Output}");
    }

    /// <summary>The newest settlements, the newest first.</summary>
    public async Task<IReadOnlyList<JsonElement>> SettlementsAsync()
    {
        using var page = JsonDocument.Parse(await Client.GetStringAsync(new Uri("/v1/usage/logs?limit=1000", UriKind.Relative)));
        return [.. page.RootElement.GetProperty("data").EnumerateArray().Select(row => row.Clone())];
    }

    /// <summary>The lines that the file sink was given, once they hold what the test waits for.</summary>
    public async Task<IReadOnlyList<JsonElement>> EventsAsync(Func<IReadOnlyList<JsonElement>, bool> until)
    {
        IReadOnlyList<JsonElement> events = [];
        for (var attempt = 0; attempt < 200; attempt++)
        {
            events = File.Exists(EventsFile) ? [.. ReadShared(EventsFile).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)] : [];
            if (until(events))
            {
                break;
            }

            await Task.Delay(25);
        }

        return events;
    }

    public string EventsFile => System.IO.Path.Combine(Gateway.DataPath, "events.jsonl");

    private static string ReadShared(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var text = new StreamReader(file, Encoding.UTF8);
        return text.ReadToEnd();
    }
}
