using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Access;

/// <summary>A call of an endpoint behind <see cref="KeyedEndpoints.RequireKey{TBuilder}"/>: its key, and the snapshot it was judged by.</summary>
public sealed record KeyedCall(ApiKey Key, Snapshot Snapshot);

public static class KeyedEndpoints
{
    /// <summary>Lets only callers in whose key is valid and has the scope; what it found is at <see cref="KeyedCall"/>.</summary>
    public static TBuilder RequireKey<TBuilder>(this TBuilder endpoints, string scope)
        where TBuilder : IEndpointConventionBuilder =>
        endpoints.WithMetadata(new RequiredScope(scope)).AddEndpointFilter<TBuilder, KeyEndpointFilter>();

    public static KeyedCall KeyedCall(this HttpContext context) =>
        context.Features.Get<KeyedCall>() ?? throw new InvalidOperationException("the endpoint is not behind RequireKey");
}
