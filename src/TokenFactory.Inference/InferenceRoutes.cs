using Microsoft.AspNetCore.Http;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference;

/// <summary>The closed list of inference routes. There is no catch-all: a path that is not here reaches no backend.</summary>
internal static class InferenceRoutes
{
    public static readonly IReadOnlyList<InferenceRoute> All =
    [
        new("/v1/chat/completions", "chat/completions", Operations.Chat, Scopes.Chat),
        new("/v1/completions", "completions", Operations.Completions, Scopes.Completions),
        new("/v1/embeddings", "embeddings", Operations.Embeddings, Scopes.Embeddings),
    ];

    /// <summary>By the matched endpoint, never by the path as it was sent.</summary>
    public static Operations OperationOf(HttpContext context) =>
        context.GetReverseProxyFeature().Route.Config.RouteId switch
        {
            "chat" => Operations.Chat,
            "completions" => Operations.Completions,
            _ => Operations.Embeddings,
        };

    public static InferenceRoute Of(Operations operation) => operation switch
    {
        Operations.Chat => All[0],
        Operations.Completions => All[1],
        _ => All[2],
    };
}

/// <param name="Path">What callers ask for.</param>
/// <param name="UpstreamPath">What a backend is asked for, below its base URL.</param>
internal sealed record InferenceRoute(string Path, string UpstreamPath, Operations Operation, string Scope)
{
    public string Id => OperationNames.Of(Operation);
}
