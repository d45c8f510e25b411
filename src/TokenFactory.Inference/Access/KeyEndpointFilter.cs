using Microsoft.AspNetCore.Http;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage;

namespace TokenFactory.Inference.Access;

/// <summary>The same door as <see cref="AccessMiddleware"/> for endpoints that answer by themselves: verified key and scope, or nothing.</summary>
internal sealed class KeyEndpointFilter(Authenticator authenticator, SnapshotStore snapshots, TimeProvider clock) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        var id = Ids.New(clock).ToString("D");
        http.Response.Headers[GatewayHeaders.RequestId] = id;
        if (InferenceRoutes.DialectOf(http.Request.Path) == Dialect.Anthropic)
        {
            http.Response.Headers[GatewayHeaders.AnthropicRequestId] = id;
        }

        if (Admit(http) is { } refusal)
        {
            await http.RefuseAsync(refusal);
            return EmptyResult;
        }

        return await next(context);
    }

    private static IResult EmptyResult => Results.Empty;

    private GatewayError? Admit(HttpContext http)
    {
        if (snapshots.Current is not { } snapshot)
        {
            return GatewayError.StaleReadModel;
        }

        var (key, refusal) = authenticator.Authenticate(http.Request.Headers, snapshot);
        if (key is null)
        {
            return refusal;
        }

        var scope = http.GetEndpoint()?.Metadata.GetMetadata<RequiredScope>()?.Scope
            ?? throw new InvalidOperationException("an endpoint behind a key names the scope it needs");
        if (!Scopes.Grants(key.Scopes, scope))
        {
            return GatewayError.MissingScope(scope);
        }

        http.Features.Set(new KeyedCall(key, snapshot));
        return null;
    }
}

internal sealed record RequiredScope(string Scope);
