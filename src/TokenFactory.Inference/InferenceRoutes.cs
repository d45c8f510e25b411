using Microsoft.AspNetCore.Http;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference;

/// <summary>The closed list of inference routes. There is no catch-all: a path that is not here reaches no backend.</summary>
internal static class InferenceRoutes
{
    private const string Messages = "/v1/messages";

    /// <summary>The sovereignty contract: rewritten into one of the others before the path begins, by what its body asks for.</summary>
    public static readonly InferenceRoute Infer = new("/v1/infer", "infer", Operations.Chat);

    public static readonly IReadOnlyList<InferenceRoute> All =
    [
        new("/v1/chat/completions", "chat/completions", Operations.Chat),
        new("/v1/completions", "completions", Operations.Completions),
        new("/v1/embeddings", "embeddings", Operations.Embeddings),
        new("/v1/moderations", "moderations", Operations.Moderations),
        new("/v1/responses", "responses", Operations.Responses, Dialect.Responses),
        new(Messages, "messages", Operations.Chat, Dialect.Anthropic),
        Infer,
    ];

    /// <summary>By the matched endpoint, never by the path as it was sent.</summary>
    public static InferenceRoute Of(HttpContext context)
    {
        var id = context.GetReverseProxyFeature().Route.Config.RouteId;
        foreach (var route in All)
        {
            if (route.Id == id)
            {
                return route;
            }
        }

        throw new InvalidOperationException($"'{id}' is no inference route");
    }

    /// <summary>How an operation is asked for in a dialect; null when the dialect has no such thing.</summary>
    public static InferenceRoute? Find(Operations operation, Dialect dialect)
    {
        foreach (var route in All)
        {
            if (route.Operation == operation && route.Dialect == dialect)
            {
                return route;
            }
        }

        return null;
    }

    /// <summary>What whoever asks for this path reads, also where no route answers it.</summary>
    public static Dialect DialectOf(PathString path) => path.StartsWithSegments(Messages) ? Dialect.Anthropic : Dialect.OpenAi;
}

/// <param name="Path">What callers ask for.</param>
/// <param name="UpstreamPath">What a backend is asked for, below its base URL.</param>
internal sealed record InferenceRoute(string Path, string UpstreamPath, Operations Operation, Dialect Dialect = Dialect.OpenAi)
{
    public string Id => UpstreamPath;
}
