using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;
using TokenFactory.Inference.Conversations;
using TokenFactory.Inference.Dialects;
using TokenFactory.Inference.Dialects.Responses;
using TokenFactory.Inference.Dispatch.Connecting;
using TokenFactory.Inference.ReadModel;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace TokenFactory.Inference.Dispatch;

/// <summary>
/// What goes up and what comes down. Nothing is copied by default in either direction: a client's credentials, cookies and
/// edge identity never reach a backend, and a backend's headers never reach a client, but for the few named here (P8).
/// </summary>
internal sealed class ForwardTransforms(UpstreamUris uris, BodyBudget budget, TimeProvider clock) : ITransformProvider
{
    /// <summary>The version that docs/api/protocol.md describes.</summary>
    internal const string AnthropicVersion = "2023-06-01";

    // Of an answer that nothing bounds: it is a part of what the next turn begins with.
    private const long UsualOutputTokens = 1000;

    private static readonly MediaTypeHeaderValue _json = new("application/json");
    private static readonly ProductInfoHeaderValue _agent = new("token-factory-gateway", "1.0");

    public void ValidateRoute(TransformRouteValidationContext context)
    {
    }

    public void ValidateCluster(TransformClusterValidationContext context)
    {
    }

    public void Apply(TransformBuilderContext context)
    {
        context.CopyRequestHeaders = false;
        context.CopyResponseHeaders = false;
        context.CopyResponseTrailers = false;
        context.UseDefaultForwarders = false;
        context.AddRequestTransform(Up);
        context.AddResponseTransform(DownAsync);
    }

    private ValueTask Up(RequestTransformContext context)
    {
        var scope = Scope(context.HttpContext);
        var request = context.ProxyRequest;
        request.RequestUri = uris.Of(context.DestinationPrefix, scope.Exchange.Operation, scope.Deployment.DialectFor(scope.Exchange.Dialect));
        if (!scope.Deployment.MayBeAskedAt(request.RequestUri))
        {
            throw new EndpointChangedException(scope.Deployment.Name);
        }

        request.Headers.UserAgent.Add(_agent);
        request.Headers.TryAddWithoutValidation(GatewayHeaders.RequestId, scope.Exchange.RequestIdText);
        request.Headers.TryAddWithoutValidation("Accept", scope.Exchange.Ask.Stream ? "text/event-stream" : "application/json");
        Credentials.Add(request.Headers, scope.Deployment.Provider);
        if (scope.Deployment.Provider.Dialect == Dialect.Anthropic)
        {
            AnthropicHeaders(context.HttpContext.Request.Headers, request.Headers, isClients: scope.Exchange.Dialect == Dialect.Anthropic);
        }

        request.Content!.Headers.ContentType = _json;
        request.Content.Headers.ContentLength = scope.BodyLength;
        return default;
    }

    private async ValueTask DownAsync(ResponseTransformContext context)
    {
        if (context.ProxyResponse is not { } response)
        {
            return;
        }

        var scope = Scope(context.HttpContext);
        scope.Status = (int)response.StatusCode;
        if (!response.IsSuccessStatusCode)
        {
            context.SuppressResponseBody = true;
            scope.Rest = BackendRefusal.RestOf(response, clock.GetUtcNow());
            var refusal = await BackendRefusal.ReadAsync(response, scope.Deployment.Provider.Credential, scope.Clock.Token);
            scope.Refusal = scope.Exchange.Ask.Conversation is null ? refusal : refusal with { Message = scope.Exchange.Ask.InClientsWords(refusal.Message)! };
            return;
        }

        var type = response.Content.Headers.ContentType?.MediaType;
        var isEventStream = scope.Exchange.Ask.Stream && string.Equals(type, "text/event-stream", StringComparison.OrdinalIgnoreCase);
        var converter = scope.Conversion?.Answer(isEventStream, clock, budget) ?? Signing(scope, isEventStream);
        scope.Exchange.Head = new UpstreamHead(
            isEventStream,
            converter is null or { IsClientsDialect: true } ? type : null,
            converter is null ? response.Content.Headers.ContentLength : null,
            scope.UsageInjected,
            scope.Deployment.Provider.Credential,
            converter);
    }

    /// <summary>A response's id is the backend's own: the client gets one that only its tenant can use, and that says where to go with it.</summary>
    private AnswerConverter? Signing(AttemptScope scope, bool isEventStream)
    {
        var (exchange, deployment) = (scope.Exchange, scope.Deployment);
        if (exchange.Dialect != Dialect.Responses)
        {
            return null;
        }

        var ask = exchange.Ask;
        var tokens = (ask.Conversation?.Tokens ?? 0) + ask.InputEstimate + (ask.MaxOutputTokens ?? deployment.MaxOutput ?? UsualOutputTokens);
        var held = Math.Min(tokens, deployment.MaxContext ?? long.MaxValue);
        var ids = new ResponseIds(
            id => ConversationIds.Sign(exchange.Snapshot.Peppers, exchange.Caller.Tenant.Name, deployment.Name, id, held), _ => ask.PreviousResponseId);
        return isEventStream ? new SignedStream(ids, budget) : new SignedBody(ids, budget);
    }

    /// <summary>The version of the API, and what a client of the same dialect asks of it beyond that.</summary>
    private static void AnthropicHeaders(IHeaderDictionary from, HttpRequestHeaders to, bool isClients)
    {
        var version = isClients ? from[GatewayHeaders.AnthropicVersion].ToString() : "";
        to.TryAddWithoutValidation(GatewayHeaders.AnthropicVersion, version.Length > 0 ? version : AnthropicVersion);
        if (isClients && from[GatewayHeaders.AnthropicBeta] is { Count: > 0 } betas)
        {
            to.TryAddWithoutValidation(GatewayHeaders.AnthropicBeta, betas.ToArray());
        }
    }

    private static AttemptScope Scope(HttpContext context) =>
        context.Features.Get<AttemptScope>() ?? throw new InvalidOperationException("YARP runs inside an attempt of the stop Dispatch");
}
