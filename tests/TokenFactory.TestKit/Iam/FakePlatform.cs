using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using TokenFactory.TestKit.Processes;

namespace TokenFactory.TestKit.Iam;

/// <summary>The platform's IAM as <c>docs/api/iam-read-model.md</c> describes it: honest until a knob says otherwise.</summary>
public sealed class FakePlatform : IAsyncDisposable
{
    private const int StartAttempts = 20;

    private readonly WebApplication _app;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (long Version, string Line, bool IsRemoved)> _entries = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _questions = new();
    private readonly CancellationTokenSource _closing = new();
    private long _version = 1;

    private FakePlatform(int port)
    {
        Port = port;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http1);
        });
        _app = builder.Build();
        _app.Run(AnswerAsync);
    }

    public int Port { get; }

    public Uri Url => new($"http://127.0.0.1:{Port}");

    public long Version
    {
        get
        {
            lock (_lock)
            {
                return _version;
            }
        }
    }

    /// <summary>What was asked and answered, oldest first: <c>since=3 200</c>.</summary>
    public IReadOnlyList<string> Questions => [.. _questions];

    /// <summary>Connections are cut without an answer.</summary>
    public bool IsDown { get; set; }

    /// <summary>Nothing is answered until this is completed.</summary>
    public TaskCompletionSource? Silence { get; set; }

    /// <summary>Every question is answered in full, and never with 304.</summary>
    public bool ForgetsVersions { get; set; }

    public int Status { get; set; } = StatusCodes.Status200OK;

    /// <summary>In place of an honest answer, by the version asked for (null: all): anything at all.</summary>
    public Func<long?, string>? Lie { get; set; }

    /// <summary>A file with a full answer of any size.</summary>
    public string? FullAnswerFile { get; set; }

    public static async Task<FakePlatform> StartAsync()
    {
        for (var attempt = 1; ; attempt++)
        {
            var platform = new FakePlatform(FreePort.Next());
            try
            {
                await platform._app.StartAsync();
                return platform;
            }
            catch (IOException) when (attempt < StartAttempts)
            {
                // Another process took the port between the probe and the bind.
                await platform.DisposeAsync();
            }
        }
    }

    /// <summary>Says these lines, in one new version.</summary>
    public FakePlatform Say(params string[] lines)
    {
        lock (_lock)
        {
            _version++;
            foreach (var line in lines)
            {
                _entries[PlatformLine.SubjectOf(line)] = (_version, line, PlatformLine.IsRemoval(line));
            }
        }

        return this;
    }

    /// <summary>The header, these lines and the end: an answer that is in order around them.</summary>
    public static string Answer(long version, long? since, params IReadOnlyList<string> lines) =>
        string.Join('\n', (IEnumerable<string>)[PlatformLine.Header(version, since), .. lines, PlatformLine.End(version, lines.Count), ""]);

    /// <summary>An honest answer as it would be now.</summary>
    public string Answer(long? since)
    {
        lock (_lock)
        {
            return Answer(_version, since, [.. _entries.Values.Where(e => since is { } s ? e.Version > s : !e.IsRemoved).Select(e => e.Line)]);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _app.DisposeAsync();
        _closing.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        if (IsDown)
        {
            context.Abort();
            return;
        }

        if (Silence is { } silence)
        {
            using var over = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _closing.Token);
            await silence.Task.WaitAsync(over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        var since = !ForgetsVersions && long.TryParse(context.Request.Query["since"], CultureInfo.InvariantCulture, out var asked) ? asked : (long?)null;
        context.Response.StatusCode = StatusFor(context.Request, since);
        _questions.Enqueue($"{(context.Request.Query.ContainsKey("since") ? "since=" + context.Request.Query["since"] : "all")} {context.Response.StatusCode}");
        if (context.Response.StatusCode != StatusCodes.Status200OK)
        {
            return;
        }

        context.Response.ContentType = "application/x-ndjson";
        context.Response.Headers.ETag = Lie is null ? ETag : null;
        if (since is null && FullAnswerFile is { } file)
        {
            await context.Response.SendFileAsync(file);
            return;
        }

        await context.Response.WriteAsync(Lie is { } lie ? lie(since) : Answer(since));
    }

    private string ETag => $"\"v{Version}\"";

    private int StatusFor(HttpRequest request, long? since) =>
        request.Path != "/read-model" ? StatusCodes.Status404NotFound
        : request.Headers.Authorization != "Bearer " + PlatformLine.Credential ? StatusCodes.Status401Unauthorized
        : Status != StatusCodes.Status200OK ? Status
        : Lie is null && since is not null && request.Headers.IfNoneMatch == ETag ? StatusCodes.Status304NotModified
        : StatusCodes.Status200OK;
}
