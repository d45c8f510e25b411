using System.Collections.Frozen;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using TokenFactory.Inference.Access;
using TokenFactory.Inference.Dispatch;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.Limits;
using TokenFactory.Inference.Metering;
using TokenFactory.Inference.Policy;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Keys;
using TokenFactory.Inference.ReadModel.Routes;
using TokenFactory.Inference.Routing;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Journal.Writer;
using TokenFactory.Storage.Ledger;
using TokenFactory.TestKit.Contracts;
using TokenFactory.TestKit.Data;

namespace TokenFactory.Inference.Tests.Simulation;

/// <summary>A client and its backend: what it is told, and what that must rest on.</summary>
internal sealed class Request : IDisposable
{
    public const int MostOutput = 20;

    private const int PromptTokens = 30;

    private static readonly Deployment _deployment = new()
    {
        Name = "llama-eu",
        Provider = new Provider("gpu-eu", ProviderKind.OpenAi, "eu-west-1", null),
        Endpoints = [],
        MaxOutput = MostOutput,
        Price = SomeRequest.Price,
    };

    private static readonly ModelRoute _route = new(ModelPattern.Parse("gpt-4o-mini"), [new RouteTarget(_deployment, 0, 1)], LimitSet.None);
    private static readonly Tenant _tenant = new("acme");
    private static readonly ApiKey _key = new()
    {
        Id = "k3f9aaaa",
        Name = "one",
        Tenant = _tenant,
        Project = new Project("search", null, ModelAllowList.All, LimitSet.None),
        Scopes = FrozenSet<string>.Empty,
        Models = ModelAllowList.All,
        Limits = new LimitSet { Concurrent = 4, TokensPerMonth = 1500, RequestsPerMinute = 1000 },
    };

    private static readonly Snapshot _snapshot = new()
    {
        Version = 1,
        Revision = "1",
        Registry = new Registry([_deployment], [_route]),
        Tenants = FrozenDictionary<string, Tenant>.Empty,
        Keys = KeyTable.Empty,
        Peppers = [],
    };

    private static readonly ServiceProvider _services = new ServiceCollection().BuildServiceProvider();

    private readonly World _world;
    private readonly Exchange _exchange;
    private readonly ClientHead _head;
    private readonly ClientBody _body;
    private readonly DefaultHttpContext _context = new() { RequestServices = _services };

    public Request(World world, Replica replica, int number)
    {
        _world = world;
        Replica = replica;
        Name = $"r{number}";
        var stream = world.Chance(0.7);
        var bytes = The.ChatRequest("gpt-4o-mini", stream: stream, usage: stream, maxTokens: MostOutput);
        var body = new PooledBody(new BodyBudget(long.MaxValue), bytes.Length);
        bytes.CopyTo(body.Free());
        body.Advance(bytes.Length);
        var ask = AskReader.Read(body, Operations.Chat, 64).Ask! with { Governance = new Governance { UseCase = Name } };
        _exchange = new Exchange(world.NewId(), Operations.Chat, _snapshot, world.Clock)
        {
            Ask = ask,
            Caller = new Caller(_key),
            Route = _route,
            Decision = new Decision("decision-1", [], _tenant, "none", Verdict.Nothing),
            Plan = new Plan([_deployment], []),
        };
        _head = new ClientHead();
        _body = new ClientBody(this);
        _context.Features.Set<IHttpResponseFeature>(_head);
        _context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(_body));
        _context.Features.Set<IHttpRequestLifetimeFeature>(new HttpRequestLifetimeFeature());
        _context.Features.Set(_exchange);
        _context.Features.Set(this);
    }

    public static Demand Probe { get; } = new(Guid.Empty, _tenant.Name, TokenFactory.Inference.Limits.Buckets.Of(_key), 0, 0, TimeSpan.FromMinutes(1));

    public string Name { get; }

    public Guid Id => _exchange.RequestId;

    public Replica Replica { get; }

    public bool HasEnded { get; private set; }

    public bool WasToldWhole { get; private set; }

    /// <summary>The output a whole answer has, as its backend counts it.</summary>
    public int Output { get; private set; }

    public static string NameOf(Admission admission) => admission.UseCase ?? "?";

    public static string NameOf(Entry entry) => entry switch
    {
        AdmissionEntry one => $"+{NameOf(one.Admission)}",
        SettlementEntry one => $"{(one.IsLate ? "late" : "")}-{NameOf(one.Settlement.Admission)}({one.Settlement.Outcome})",
        CheckpointEntry => "checkpoint",
        _ => "beat",
    };

    public void Start()
    {
        _world.Tell($"{Name} asks {Replica.Name}");
        Replica.Lane.Run(() => _ = RunAsync());
    }

    /// <summary>In Dispatch's place: a backend that answers in pieces, and sometimes not to the end.</summary>
    public static Task DispatchAsync(HttpContext context) => context.Features.GetRequiredFeature<Request>().AnswerAsync(context.Features.GetRequiredFeature<IHttpResponseBodyFeature>().Stream);

    public void Dispose() => _body.Dispose();

    private async Task RunAsync()
    {
        try
        {
            await Replica.Pipeline(_context);
            await _context.Response.CompleteAsync();
        }
        catch (BrokenAnswerException)
        {
            _world.Tell($"{Name} was told in-band");
        }
        catch (Exception bug) when (bug is not PromiseBrokenException)
        {
            _world.Require(false, $"the stops throw nothing ({bug})");
        }

        HasEnded = true;
        _world.Tell($"{Name} ended: {_context.Response.StatusCode}{(WasToldWhole ? ", whole" : "")}");
    }

    private async Task AnswerAsync(Stream into)
    {
        var body = (MeteredBody)into;
        var stream = _exchange.Ask.Stream;
        var (pieces, cut) = (_world.Random.Next(1, 6), _world.Chance(0.2));
        Output = pieces * 3;
        _exchange.AttemptsMade = 1;
        _exchange.Placement = _deployment.PlacementFor(_exchange.Ask.Model);
        _exchange.DispatchedAt = _world.Clock.GetTimestamp();
        await _world.PassAsync(TimeSpan.FromSeconds(2));
        _exchange.Head = new UpstreamHead(stream, stream ? "text/event-stream" : "application/json", null, false, null);
        try
        {
            for (var piece = 0; stream && piece < pieces; piece++)
            {
                await Send($$$"""data: {"choices":[{"index":0,"delta":{"content":"one two three"},"finish_reason":null}]}{{{"\n\n"}}}""");
                await _world.PassAsync(TimeSpan.FromSeconds(1));
            }

            var usage = $$"""{"prompt_tokens":{{PromptTokens}},"completion_tokens":{{Output}},"total_tokens":{{PromptTokens + Output}}}""";
            if (cut)
            {
                _exchange.Failure = new Failure(_world.Chance(0.5) ? Outcome.ClientCut : Outcome.BackendCut, GatewayError.BackendCut, TookPrompt: true);
            }
            else if (stream)
            {
                await Send($$"""data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}{{"\n\n"}}data: {"choices":[],"usage":{{usage}}}{{"\n\n"}}data: [DONE]{{"\n\n"}}""");
            }
            else
            {
                await Send($$"""{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"one two three"},"finish_reason":"stop"}],"usage":{{usage}}}""");
            }

            if (!cut)
            {
                await body.CompleteAsync();
            }
        }
        catch (Exception fault) when (fault is BackendFaultException or JournalUnavailableException)
        {
        }

        _exchange.Failure ??= _exchange.BackendFault;
        _exchange.AnsweredAt = _world.Clock.GetTimestamp();
        _exchange.Attempts.Add(new Attempt(1, _deployment.Name, _deployment.Provider.Name, _deployment.EffectiveRegion, 200, null, _exchange.AcceptedAt, TimeSpan.Zero));

        ValueTask Send(string text) => body.WriteAsync(Encoding.UTF8.GetBytes(text));
    }

    /// <summary>P1, at every byte the client gets.</summary>
    private void Told(ReadOnlySpan<byte> bytes)
    {
        if (_context.Response.StatusCode != StatusCodes.Status200OK)
        {
            return;
        }

        _head.Start();
        var database = _world.Database;
        _world.Require(database.Admissions.ContainsKey(Id), $"P1: {Name} is admitted before its first byte");
        if (bytes.IndexOf("[DONE]"u8) >= 0 || bytes.IndexOf("chat.completion\""u8) >= 0)
        {
            WasToldWhole = true;
            _world.Require(database.OutcomeOf(Id) == Outcome.Completed, $"P1: {Name} is settled as completed before it is told whole, and not as {database.OutcomeOf(Id)}");
            _world.Require(database.TokensOf(Id) == PromptTokens + Output, $"P3: {Name} is settled with what it was told ({database.TokensOf(Id)})");
        }
    }

    private sealed class ClientHead : HttpResponseFeature
    {
        private bool _started;

        public override bool HasStarted => _started;

        public void Start() => _started = true;
    }

    private sealed class ClientBody(Request request) : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => request.Told(buffer);

        public override void Write(byte[] buffer, int offset, int count) => request.Told(buffer.AsSpan(offset, count));

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            request.Told(buffer.Span);
            return ValueTask.CompletedTask;
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        {
            request.Told(buffer.AsSpan(offset, count));
            return Task.CompletedTask;
        }
    }
}
