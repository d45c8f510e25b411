using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using TokenFactory.Inference.Access;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Stored;

/// <summary>
/// <c>GET</c> and <c>DELETE /v1/responses/{id}</c>, <c>GET /v1/responses/{id}/input_items</c>: what a backend keeps of a response is shown to its
/// own tenant, and taken away. No model is asked and nothing of a prompt leaves, so it costs a request and no tokens; it is recorded like any other.
/// </summary>
internal static class StoredEndpoints
{
    public static void MapStoredResponses(this IEndpointRouteBuilder app)
    {
        var responses = app.MapGroup("/v1/responses/{id}").RequireKey(Scopes.Chat);
        responses.MapGet("", (HttpContext context, string id, StoredResponses stored) => ServeAsync(context, id, stored, StoredKind.Retrieve));
        responses.MapDelete("", (HttpContext context, string id, StoredResponses stored) => ServeAsync(context, id, stored, StoredKind.Delete));
        responses.MapGet("/input_items", (HttpContext context, string id, StoredResponses stored) => ServeAsync(context, id, stored, StoredKind.InputItems));
        responses.MapPost("/cancel", RefuseToCancelAsync);
    }

    private static async Task ServeAsync(HttpContext context, string id, StoredResponses stored, StoredKind kind)
    {
        var (key, snapshot) = context.KeyedCall();
        if (kind.Query(context.Request.Query, out var refusal) is not { } query)
        {
            await context.RefuseAsync(refusal!);
            return;
        }

        if (StoredAsk.Find(kind, new Caller(key), snapshot, id, query) is not { } ask)
        {
            await context.RefuseAsync(GatewayError.ResponseNotFound);
            return;
        }

        await stored.ServeAsync(context, ask);
    }

    /// <summary>Responses in the background are not served, and only they outlive the request that made them.</summary>
    private static Task RefuseToCancelAsync(HttpContext context, string id)
    {
        var (key, snapshot) = context.KeyedCall();
        return context.RefuseAsync(StoredAsk.Find(StoredKind.Retrieve, new Caller(key), snapshot, id, query: "") is null ? GatewayError.ResponseNotFound : GatewayError.ResponseNotInBackground);
    }
}
