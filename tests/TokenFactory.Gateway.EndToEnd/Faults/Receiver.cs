using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using TokenFactory.TestKit.Processes;

namespace TokenFactory.Gateway.EndToEnd.Faults;

/// <summary>What a receiver was sent in one request, and what it said to it.</summary>
internal sealed record Posting(int Status, IReadOnlyList<(Guid Id, string Line)> Events);

/// <summary>A consumer of CloudEvents on a real connection, which may be away, slow or of another opinion.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly ConcurrentQueue<Posting> _postings = new();
    private WebApplication? _app;

    public int Port { get; } = FreePort.Next();

    public string Url => $"http://127.0.0.1:{Port}/events";

    /// <summary>The status of the answer to these ids.</summary>
    public Func<IReadOnlyList<Guid>, Task<int>> Answer { get; set; } = _ => Task.FromResult(204);

    public IReadOnlyList<Posting> Postings => [.. _postings];

    public IReadOnlyList<Guid> Taken => [.. Postings.Where(one => one.Status < 300).SelectMany(one => one.Events).Select(one => one.Id).Distinct()];

    public async Task StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, Port));
        _app = builder.Build();
        _app.MapPost("/events", ReceiveAsync);
        await _app.StartAsync();
    }

    public async Task WaitForAsync(Func<Receiver, bool> until, TimeSpan within)
    {
        using var limit = new CancellationTokenSource(within);
        while (!until(this))
        {
            if (limit.IsCancellationRequested)
            {
                throw new TimeoutException($"The receiver got {Postings.Count} postings and took {Taken.Count} events within {within}.");
            }

            await Task.Delay(20, CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is { } app)
        {
            await app.DisposeAsync();
        }
    }

    private async Task ReceiveAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        using var document = JsonDocument.Parse(await reader.ReadToEndAsync());
        List<(Guid, string)> events = [.. document.RootElement.EnumerateArray().Select(one => (one.GetProperty("id").GetGuid(), one.GetRawText()))];
        var status = await Answer([.. events.Select(one => one.Item1)]);
        _postings.Enqueue(new Posting(status, events));
        context.Response.StatusCode = status;
    }
}
