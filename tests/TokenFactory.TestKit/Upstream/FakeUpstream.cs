using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Upstream.Anthropic;
using TokenFactory.TestKit.Upstream.Responses;
using TokenFactory.TestKit.Upstream.Steps;
using TokenFactory.TestKit.Upstream.Wires;

namespace TokenFactory.TestKit.Upstream;

/// <summary>An OpenAI-compatible backend on a real connection, which speaks Anthropic's Messages dialect as well. Honest until a
/// script says otherwise, and it keeps its own books: what arrived, what it really sent, who went away.</summary>
public sealed class FakeUpstream : IAsyncDisposable
{
    private const int StartAttempts = 20;
    private readonly WebApplication _app;
    private readonly FakeUpstreamOptions _options;
    private readonly CancellationTokenSource _closing = new();
    private readonly ConcurrentQueue<UpstreamRequest> _requests = new();
    private readonly ConcurrentDictionary<string, Func<UpstreamAsk, Script>> _byModel = new();
    private readonly ConcurrentDictionary<string, Script> _byPath = new();
    private readonly ConcurrentQueue<Script> _next = new();
    private readonly ResponseStore _kept = new();
    private long _number;
    private volatile Exception? _brokenScript;

    private FakeUpstream(FakeUpstreamOptions options, int port)
    {
        (_options, Port, Name) = (options, port, options.Name);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // Slow readers and long silences are what scripts are made of.
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                listen.Use(next => connection =>
                {
                    Totals.Connected();
                    return next(connection);
                });
            });
        });
        _app = builder.Build();
        _app.Run(ServeAsync);
    }

    /// <summary>Stands in every completion's id.</summary>
    public string Name { get; }

    public int Port { get; }

    /// <summary>Ends in "/v1".</summary>
    public Uri BaseUrl => new($"http://127.0.0.1:{Port}/v1");

    public UpstreamTotals Totals { get; } = new();

    /// <summary>The requests so far, oldest first; the list does not change any more, its requests may.</summary>
    public IReadOnlyList<UpstreamRequest> Requests => [.. _requests];

    /// <summary>What GET /v1/models lists.</summary>
    public IReadOnlyList<string> Models { get; set; } = ["fake-model"];

    /// <summary>The model that answers say they are from; null is the one that was asked for.</summary>
    public string? ReportedModel { get; set; }

    public string Fingerprint { get; set; } = "fp_fake";

    /// <summary>Answer 404 for a model that is not listed.</summary>
    public bool KnowsListedModelsOnly { get; set; }

    /// <summary>When set, anything under /v1 without this key (a bearer token, or x-api-key in the Messages dialect) is answered 401.</summary>
    public string? RequiredKey { get; set; }

    /// <summary>The text of an honest answer.</summary>
    public Func<UpstreamAsk, string> Answer { get; set; } = ask => "Echo " + ask.LastUserText;

    /// <summary>Sent with every response: what a real server tells of itself.</summary>
    public IReadOnlyDictionary<string, string> ResponseHeaders { get; set; } = new Dictionary<string, string> { ["server"] = "uvicorn", ["x-backend-node"] = "fake-node-1" };

    public static async Task<FakeUpstream> StartAsync(FakeUpstreamOptions? options = null)
    {
        options ??= new FakeUpstreamOptions();
        for (var attempt = 1; ; attempt++)
        {
            var upstream = new FakeUpstream(options, options.Port ?? FreePort.Next());
            try
            {
                await upstream._app.StartAsync();
                return upstream;
            }
            catch (IOException) when (attempt < StartAttempts && options.Port is null)
            {
                // Another process took the port between the probe and the bind.
                await upstream.DisposeAsync();
            }
        }
    }

    /// <summary>From now on, requests for this model play this script.</summary>
    public FakeUpstream On(string model, Script script) => On(model, _ => script);

    public FakeUpstream On(string model, Func<UpstreamAsk, Script> script)
    {
        _byModel[model] = script;
        return this;
    }

    /// <summary>From now on, this path ("/health", "/v1/models") plays this script.</summary>
    public FakeUpstream OnPath(string path, Script script)
    {
        _byPath[path] = script;
        return this;
    }

    /// <summary>The next requests, whatever their model, play these scripts in order; before any other rule.</summary>
    public FakeUpstream Next(params Script[] scripts)
    {
        foreach (var script in scripts)
        {
            _next.Enqueue(script);
        }

        return this;
    }

    /// <summary>Forgets every script.</summary>
    public FakeUpstream IsHonest()
    {
        _byModel.Clear();
        _byPath.Clear();
        _next.Clear();
        return this;
    }

    /// <summary>Waits until so many requests have arrived.</summary>
    public Task WaitForAsync(int requests, TimeSpan? timeout = null) => WaitForAsync(upstream => upstream.Totals.Requests >= requests, timeout);

    /// <exception cref="TimeoutException">It did not come true; the message says what did.</exception>
    public async Task WaitForAsync(Func<FakeUpstream, bool> until, TimeSpan? timeout = null)
    {
        using var limit = new CancellationTokenSource(timeout ?? TimeSpan.FromSeconds(10));
        while (!until(this))
        {
            if (_brokenScript is { } broken)
            {
                throw new InvalidOperationException("A script could not be played.", broken);
            }

            if (limit.IsCancellationRequested)
            {
                throw new TimeoutException(string.Create(CultureInfo.InvariantCulture,
                    $"The upstream saw {Totals.Requests} requests, {Totals.Finished} finished, {Totals.Aborted} aborted by the caller."));
            }

            await Task.Delay(5);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await _app.StopAsync(limit.Token);
        await _app.DisposeAsync();
        _closing.Dispose();
    }

    private async Task ServeAsync(HttpContext context)
    {
        var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var bytes = body.GetBuffer().AsMemory(0, (int)body.Length);
        var operation = Backend.OperationOf(context.Request.Path);
        var ask = operation == UpstreamOperation.Other ? UpstreamAsk.Nothing : UpstreamAsk.Parse(operation, bytes);
        if (ask?.PreviousResponseId is { } previous)
        {
            ask = ask with { PromptTokens = ask.PromptTokens + _kept.TokensOf(previous) };
        }

        var request = new UpstreamRequest(Interlocked.Increment(ref _number), context, bytes, _options.KeepBodies, ask);
        var script = ScriptFor(context, operation, ask);
        request.Script = script.Name;
        _requests.Enqueue(request);
        if (_requests.Count > _options.KeepRequests)
        {
            _requests.TryDequeue(out _);
        }

        Totals.Arrived(request);
        await PlayAsync(context, request, script);
        Totals.Ended(request);
    }

    private async Task PlayAsync(HttpContext context, UpstreamRequest request, Script script)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _closing.Token);
        Wire wire = script.BreaksHttp
            ? new SocketWire(context.Features.Get<IConnectionSocketFeature>()!.Socket, both.Token)
            : new KestrelWire(context.Response);
        var play = new Play(this, request, script.Style, wire, both.Token);
        if (play.Ask.Operation == UpstreamOperation.Responses)
        {
            // Before the caller can know the id.
            _kept.Keep(play);
        }

        try
        {
            foreach (var step in script.Steps(play))
            {
                await step.PlayAsync(play);
                if (play.Over)
                {
                    break;
                }
            }

            request.Finish();
        }
        catch (Exception broken) when (broken is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            Part(context, request);
        }
        catch (Exception broken)
        {
            // The test's own mistake: told to who waits, since nothing that is thrown here reaches the test.
            _brokenScript = broken;
            context.Abort();
        }
        finally
        {
            if (script.BreaksHttp || both.IsCancellationRequested)
            {
                // Kestrel must not add a response of its own to what the socket was given.
                context.Abort();
            }
        }
    }

    private void Part(HttpContext context, UpstreamRequest request)
    {
        if (request.Finished)
        {
            return;
        }

        if (_closing.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
        {
            request.Finish();
        }
        else
        {
            request.Abort();
        }
    }

    private Script ScriptFor(HttpContext context, UpstreamOperation operation, UpstreamAsk? ask)
    {
        var path = context.Request.Path.Value ?? "";
        if (operation != UpstreamOperation.Other && _next.TryDequeue(out var next))
        {
            return next;
        }

        if (_byPath.TryGetValue(path, out var forPath))
        {
            return forPath;
        }

        if (RequiredKey is { } key && path.StartsWith("/v1", StringComparison.Ordinal) && Backend.Refusal(context.Request, key) is { } refusal)
        {
            return refusal;
        }

        return operation switch
        {
            UpstreamOperation.Other => _kept.Page(context.Request) ?? Backend.Page(context.Request, Models),
            UpstreamOperation.Messages or UpstreamOperation.CountTokens => MessageBackend.Refusal(context.Request, ask) ?? ForMessages(ask!),
            _ => ForInference(ask),
        };
    }

    private Script ForMessages(UpstreamAsk ask) => _byModel.TryGetValue(ask.Model, out var forModel) ? forModel(ask)
        : KnowsListedModelsOnly && !Models.Contains(ask.Model) ? MessageBackend.UnknownModel(ask.Model)
        : Script.Honest;

    private Script ForInference(UpstreamAsk? ask)
    {
        if (ask is null)
        {
            return Backend.Error(400, "We could not parse the JSON body of your request.", "invalid_request_error", null);
        }

        if (_byModel.TryGetValue(ask.Model, out var forModel))
        {
            return forModel(ask);
        }

        if (ask.Model.Length == 0)
        {
            return Backend.Error(400, "you must provide a model parameter", "invalid_request_error", null);
        }

        if (ask.PreviousResponseId is { } previous && !_kept.Has(previous))
        {
            return Backend.Error(400, $"Previous response with id '{previous}' not found.", "invalid_request_error", "previous_response_not_found");
        }

        return KnowsListedModelsOnly && !Models.Contains(ask.Model)
            ? Backend.Error(404, $"The model `{ask.Model}` does not exist.", "invalid_request_error", "model_not_found")
            : Script.Honest;
    }
}
