using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using TokenFactory.TestKit.Processes;

namespace TokenFactory.TestKit.Registration;

/// <summary>A control plane as <c>docs/api/router-contract.md</c> describes it, on loopback: honest until a knob says otherwise.</summary>
public sealed class FakeControlPlane : IAsyncDisposable
{
    public const string Credential = "what-the-control-plane-knows-the-gateway-by";

    private const int StartAttempts = 20;

    private readonly WebApplication _app;
    private readonly ConcurrentQueue<int> _answered = new();

    private FakeControlPlane(int port)
    {
        Url = new Uri($"http://127.0.0.1:{port}");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http1));
        _app = builder.Build();
        _app.Run(AnswerAsync);
    }

    public Uri Url { get; }

    /// <summary>The body of its answers.</summary>
    public string Says { get; set; } = """{"version":0,"providers":[],"deployments":[],"models":[]}""";

    public int Status { get; set; } = StatusCodes.Status200OK;

    /// <summary>The statuses of its answers, oldest first.</summary>
    public IReadOnlyList<int> Answered => [.. _answered];

    public static async Task<FakeControlPlane> StartAsync()
    {
        for (var attempt = 1; ; attempt++)
        {
            var plane = new FakeControlPlane(FreePort.Next());
            try
            {
                await plane._app.StartAsync();
                return plane;
            }
            catch (IOException) when (attempt < StartAttempts)
            {
                // Another process took the port between the probe and the bind.
                await plane.DisposeAsync();
            }
        }
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var says = Says;
        var tag = $"\"{Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(says)))}\"";
        context.Response.StatusCode =
            context.Request.Headers.Authorization != $"Bearer {Credential}" ? StatusCodes.Status401Unauthorized
            : context.Request.Path != "/registry" ? StatusCodes.Status404NotFound
            : Status != StatusCodes.Status200OK ? Status
            : context.Request.Headers.IfNoneMatch == tag ? StatusCodes.Status304NotModified
            : StatusCodes.Status200OK;
        _answered.Enqueue(context.Response.StatusCode);
        if (context.Response.StatusCode != StatusCodes.Status200OK)
        {
            return;
        }

        context.Response.ContentType = "application/json";
        context.Response.Headers.ETag = tag;
        await context.Response.WriteAsync(says);
    }
}
