using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using TokenFactory.TestKit.Processes;

namespace TokenFactory.TestKit.Policies;

/// <summary>A decision endpoint as OPA's data API is one, on loopback: it says yes until a knob says otherwise.</summary>
public sealed class FakeDecisionEndpoint : IAsyncDisposable
{
    private const int StartAttempts = 20;

    private readonly WebApplication _app;
    private readonly ConcurrentQueue<JsonNode> _questions = new();
    private readonly CancellationTokenSource _closing = new();

    private FakeDecisionEndpoint(int port, X509Certificate2? certificate)
    {
        Url = new Uri($"{(certificate is null ? "http" : "https")}://127.0.0.1:{port}/v1/data/gateway/decision");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            if (certificate is not null)
            {
                listen.UseHttps(certificate);
            }
        }));
        _app = builder.Build();
        _app.Run(AnswerAsync);
    }

    public Uri Url { get; }

    /// <summary>The bodies it was sent, oldest first.</summary>
    public IReadOnlyList<JsonNode> Questions => [.. _questions];

    /// <summary>The headers of the last question.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; private set; } = new Dictionary<string, string>();

    /// <summary>Connections are cut without an answer.</summary>
    public bool IsDown { get; set; }

    /// <summary>Nothing is answered until this is completed.</summary>
    public TaskCompletionSource? Silence { get; set; }

    public int Status { get; set; } = StatusCodes.Status200OK;

    public string? Location { get; set; }

    /// <summary>Without a Content-Length, so that only reading tells how long an answer is.</summary>
    public bool IsChunked { get; set; }

    /// <summary>The body, by the question's input.</summary>
    public Func<JsonNode, string> Answer { get; set; } = Yes;

    public static string Yes(JsonNode input) => """{"result":{"allow":true}}""";

    public static async Task<FakeDecisionEndpoint> StartAsync(X509Certificate2? certificate = null)
    {
        for (var attempt = 1; ; attempt++)
        {
            var endpoint = new FakeDecisionEndpoint(FreePort.Next(), certificate);
            try
            {
                await endpoint._app.StartAsync();
                return endpoint;
            }
            catch (IOException) when (attempt < StartAttempts)
            {
                // Another process took the port between the probe and the bind.
                await endpoint.DisposeAsync();
            }
        }
    }

    /// <summary>Honest again.</summary>
    public void Reset() => (IsDown, Silence, Status, Location, IsChunked, Answer) = (false, null, StatusCodes.Status200OK, null, false, Yes);

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _app.DisposeAsync();
        _closing.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var question = (await JsonNode.ParseAsync(context.Request.Body))!;
        Headers = context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        _questions.Enqueue(question);
        if (Silence is { } silence)
        {
            await silence.Task.WaitAsync(_closing.Token);
        }

        if (IsDown)
        {
            context.Abort();
            return;
        }

        var text = Answer(question["input"]!);
        context.Response.StatusCode = Status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = IsChunked ? null : System.Text.Encoding.UTF8.GetByteCount(text);
        if (Location is { } location)
        {
            context.Response.Headers.Location = location;
        }

        await context.Response.WriteAsync(text, _closing.Token);
    }
}
