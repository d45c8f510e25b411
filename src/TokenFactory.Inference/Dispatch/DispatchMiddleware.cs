using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using TokenFactory.Inference.Dialects;
using TokenFactory.Inference.Dispatch.Standing;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.Routing;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Forwarder;

namespace TokenFactory.Inference.Dispatch;

/// <summary>
/// Walks the plan: sends the request to one candidate after the other until one answers, each through YARP, which balances
/// and health-checks the replicas of a deployment. Needs Plan and Ask. Leaves Attempts, and a Failure when nobody answered.
/// A candidate may be abandoned until the first byte went to the client, never after (P7); one that is known to be out of quota, overloaded
/// or failing is not asked at all.
/// </summary>
internal sealed partial class DispatchMiddleware(
    RequestDelegate next, IProxyStateLookup clusters, Standings standings, Observations observed, Drain drain, DispatchOptions options, GatewayMetrics metrics, TimeProvider clock, ILogger<DispatchMiddleware> logger)
{
    // Another request is trying an open circuit; it is known soon how that went.
    private static readonly TimeSpan _moment = TimeSpan.FromSeconds(1);

    private static readonly byte[] _askedByHand = """{"model":"manual","messages":[{"role":"user","content":"?"}]}"""u8.ToArray();
    private static readonly byte[] _askedByHandStreamed = """{"model":"manual","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"?"}]}"""u8.ToArray();

    public async Task InvokeAsync(HttpContext context)
    {
        var exchange = context.Exchange;
        exchange.DispatchedAt = clock.GetTimestamp();
        var failure = await WalkAsync(context, exchange);
        exchange.AnsweredAt = clock.GetTimestamp();
        exchange.Failure = exchange.Ask.Conversation is not null && failure is { Error.Label: "no_backend" }
            ? failure with { Error = GatewayError.ConversationUnavailable with { RetryAfter = failure.Error.RetryAfter } }
            : failure;
    }

    private async Task<Failure?> WalkAsync(HttpContext context, Exchange exchange)
    {
        Failure? failure = null;
        List<Skip>? skipped = null;
        GatewayError? inexpressible = null;
        var soonest = TimeSpan.MaxValue;
        foreach (var deployment in Healthiest(exchange.Plan.Candidates))
        {
            if (exchange.AttemptsMade >= options.MaxAttempts && !deployment.Provider.IsInside)
            {
                continue;
            }

            if (exchange.Running.IsCancelled)
            {
                failure = Cancelled(tookPrompt: failure is { TookPrompt: true });
                break;
            }

            var standing = standings.Of(deployment);
            var over = standing.PassedOver;
            if (over is null)
            {
                if (Express(exchange, deployment, out var refusal) is not { } body)
                {
                    if (refusal == GatewayError.NoRoomForBody)
                    {
                        failure = new Failure(Outcome.Failed, refusal, TookPrompt: failure?.TookPrompt ?? false);
                        break;
                    }

                    (skipped ??= []).Add(new Skip(deployment.Name, Skip.Inexpressible));
                    inexpressible ??= refusal;
                    continue;
                }

                if (!standing.MayTake(isRetry: exchange.AttemptsMade > 0))
                {
                    (skipped ??= []).Add(new Skip(deployment.Name, Skip.RetryBudgetSpent));
                    continue;
                }

                var (asked, failed) = await standing.TryAsync(
                    static call => call.Self.AttemptAsync(call.context, call.exchange, call.deployment, call.standing, call.body), (Self: this, context, exchange, deployment, standing, body));
                if (asked)
                {
                    failure = failed;
                    if (failed is null || !MayTryNext(context, exchange, failed))
                    {
                        break;
                    }

                    Log.Abandoned(logger, exchange.RequestId, deployment.Name, failed.Error.Label);
                    continue;
                }

                over = standing.PassedOver ?? (Skip.CircuitOpen, _moment);
            }

            (skipped ??= []).Add(new Skip(deployment.Name, over.Value.Reason));
            soonest = over.Value.Left < soonest ? over.Value.Left : soonest;
        }

        exchange.Skipped = skipped ?? exchange.Skipped;
        return exchange.AttemptsMade > 0 || skipped is null || failure is not null ? failure : NobodyAsked(skipped, soonest, inexpressible);
    }

    /// <summary>Every candidate is passed over. Only where all their quotas are spent is it the callers who ask too much.</summary>
    private static Failure NobodyAsked(List<Skip> skipped, TimeSpan soonest, GatewayError? inexpressible)
    {
        if (inexpressible is not null && skipped.TrueForAll(static one => one.Reason == Skip.Inexpressible))
        {
            return new Failure(Outcome.Failed, inexpressible, TookPrompt: false);
        }

        var error = skipped.TrueForAll(static one => one.Reason == Skip.QuotaSpent) ? GatewayError.BackendBusy : GatewayError.NoBackend;
        return new Failure(Outcome.Failed, error with { RetryAfter = soonest }, TookPrompt: false);
    }

    /// <summary>The request in the deployment's dialect; null and why when it has no words for it.</summary>
    private static ExpressedRequest? Express(Exchange exchange, Deployment deployment, out GatewayError? refusal)
    {
        refusal = null;
        var conversion = Conversion.Between(exchange.Dialect, deployment.DialectFor(exchange.Dialect));
        if (conversion is not null && deployment.Provider.Kind == ProviderKind.Manual)
        {
            // It says the same whatever it is asked, so nothing of the request can be inexpressible to it.
            return new ExpressedRequest([exchange.Ask.Stream ? _askedByHandStreamed : _askedByHand], UsageInjected: false, conversion);
        }

        try
        {
            var (segments, injected) = UpstreamBody.For(exchange.Ask, deployment, conversion);
            return new ExpressedRequest(segments, injected, conversion);
        }
        catch (InexpressibleException none)
        {
            refusal = none.Error;
            return null;
        }
    }

    private async Task<Failure?> AttemptAsync(HttpContext context, Exchange exchange, Deployment deployment, DeploymentStanding standing, ExpressedRequest request)
    {
        if (!deployment.Provider.IsFor(exchange.Caller.Tenant.Name))
        {
            // Guard's route has no such deployment. Were a stop ever to widen it, this is the last place where a prompt is still within its walls.
            throw new InvalidOperationException($"{deployment.Name} is another tenant's own");
        }

        var placement = deployment.PlacementFor(exchange.Ask.Model);
        var call = ModelCall.Of(exchange.Operation, exchange.Route, deployment);
        using var span = Telemetry.StartModelCall(call);
        var startedAt = clock.GetUtcNow();
        if (!clusters.TryGetCluster(deployment.Name, out var cluster))
        {
            return new Failure(Outcome.Failed, GatewayError.NoBackend, TookPrompt: false);
        }

        using var ticking = new AttemptClock(deployment.Clocks ?? options.Clocks, clock, context.RequestAborted, drain.Over);
        exchange.Running.Attempting(ticking);
        var scope = new AttemptScope(exchange, deployment, cluster, ticking);
        var body = new SegmentStream(request.Segments);
        scope.BodyLength = body.Length;
        scope.UsageInjected = request.UsageInjected;
        scope.Conversion = request.Conversion;
        exchange.AttemptsMade++;
        exchange.Head = null;
        exchange.Placement = placement;
        exchange.BackendFault = null;

        using var open = new OpenAttempt(observed.Of(deployment.Name), ticking, exchange.Ask.Stream);
        var staged = new StagedResponse(context.Response.Body, ticking);
        var original = context.Request.Body;
        using (new StagedFeatures(context, staged, scope))
        {
            context.Request.Body = body;
            context.ReassignProxyRequest(cluster);
            await next(context);
            context.Request.Body = original;
        }

        // The body came to an end in order: whoever meters it says whether that was the answer's, while there are candidates left.
        if (exchange.Head is not null && context.Features.Get<IForwarderErrorFeature>() is null or { Error: ForwarderError.None })
        {
            await context.Features.GetRequiredFeature<IHttpResponseBodyFeature>().CompleteAsync();
        }

        exchange.FirstByteAfter = ticking.FirstTouch;
        var failure = Judge(context, exchange, scope);
        if (scope.Rest is { } rest && deployment.Endpoints.Count <= 1)
        {
            standing.Rest(rest.Reason, rest.Asked);
        }
        else if (scope.Status is not null)
        {
            standing.Took();
        }

        exchange.Attempts.Add(new Attempt(
            exchange.AttemptsMade, deployment.Name, placement.Provider, placement.Region, scope.Status, failure?.Error.Label, startedAt, ticking.Elapsed));
        metrics.Attempted(deployment.Name, failure?.Error.Label ?? "answered");
        metrics.CallEnded(call, ticking.Elapsed, ticking.FirstTouch, failure?.Error.Label);
        return failure;
    }

    private Failure? Judge(HttpContext context, Exchange exchange, AttemptScope scope)
    {
        // A terminator is the end, whatever the backend does with its connection after it.
        if (exchange.AnswerIsWhole)
        {
            return null;
        }

        if (context.RequestAborted.IsCancellationRequested)
        {
            return new Failure(Outcome.ClientCut, GatewayError.ClientCut, TookPrompt: true);
        }

        if (exchange.Running.IsCancelled)
        {
            return Cancelled(tookPrompt: true);
        }

        if (drain.Over.IsCancellationRequested)
        {
            return new Failure(Outcome.Drained, GatewayError.Draining, TookPrompt: true);
        }

        if (scope.Clock.Expired != ClockName.None)
        {
            return new Failure(Outcome.TimedOut, GatewayError.BackendTimedOut, TookPrompt: true);
        }

        if (scope.Refusal is { } refusal)
        {
            return new Failure(Outcome.Failed, refusal, BackendRefusal.TookPrompt(scope.Status!.Value));
        }

        if (exchange.BackendFault is { } fault)
        {
            return fault;
        }

        var forwarder = context.Features.Get<IForwarderErrorFeature>();
        return forwarder is null or { Error: ForwarderError.None } ? null : OfForwarder(forwarder, exchange.Head is not null);
    }

    private static Failure Cancelled(bool tookPrompt) => new(Outcome.Cancelled, GatewayError.RequestCancelled, tookPrompt);

    private static Failure OfForwarder(IForwarderErrorFeature forwarder, bool answering) => forwarder.Error switch
    {
        ForwarderError.NoAvailableDestinations => new Failure(Outcome.Failed, GatewayError.NoBackend, TookPrompt: false),
        _ when answering => new Failure(Outcome.BackendCut, GatewayError.BackendCut, TookPrompt: true),
        _ when Unsent.Reason(forwarder.Exception) is { } error => new Failure(Outcome.Failed, error, TookPrompt: false),
        _ => new Failure(Outcome.Failed, GatewayError.BackendFailed, TookPrompt: !Unsent.IsCertain(forwarder.Exception)),
    };

    private static bool MayTryNext(HttpContext context, Exchange exchange, Failure failure) =>
        !context.RequestAborted.IsCancellationRequested
        && !exchange.FirstByteSent
        && failure.Error.Status is 408 or 429 or >= 500
        && failure.Error != GatewayError.BackendRejectedUs
        && !failure.Error.IsOwn;

    /// <summary>Keeps the plan's order but for deployments without one healthy replica: they are the last resort, not the first.</summary>
    private IEnumerable<Deployment> Healthiest(IReadOnlyList<Deployment> candidates) =>
        candidates.Count == 1 ? candidates : candidates.OrderBy(d => IsHealthy(d) ? 0 : 1);

    private bool IsHealthy(Deployment deployment) =>
        clusters.TryGetCluster(deployment.Name, out var cluster)
        && cluster.DestinationsState.AllDestinations.Any(d =>
            d.Health.Active != Yarp.ReverseProxy.Model.DestinationHealth.Unhealthy && d.Health.Passive != Yarp.ReverseProxy.Model.DestinationHealth.Unhealthy);

    /// <summary>What an attempt tells of its deployment, however it ends.</summary>
    private readonly struct OpenAttempt : IDisposable
    {
        private readonly Observed _observed;
        private readonly AttemptClock _clock;
        private readonly bool _isStream;

        public OpenAttempt(Observed observed, AttemptClock clock, bool isStream)
        {
            (_observed, _clock, _isStream) = (observed, clock, isStream);
            observed.Begin();
        }

        public void Dispose() => _observed.End(_clock.FirstTouch, _isStream);
    }

    private sealed record ExpressedRequest(IReadOnlyList<ReadOnlyMemory<byte>> Segments, bool UsageInjected, Conversion? Conversion);

    private static partial class Log
    {
        [LoggerMessage(7001, LogLevel.Warning, "Request {RequestId}: {Deployment} abandoned ({Reason}), the next candidate is asked")]
        public static partial void Abandoned(ILogger logger, Guid requestId, string deployment, string reason);
    }
}
