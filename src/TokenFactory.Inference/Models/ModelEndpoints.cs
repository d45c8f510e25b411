using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using TokenFactory.Inference.Access;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Models;

/// <summary><c>GET /v1/models</c> and <c>/v1/models/{id}</c>: what the key may use, and nothing that tells of what it may not (P9).</summary>
internal static class ModelEndpoints
{
    public static void MapModels(this IEndpointRouteBuilder app)
    {
        var models = app.MapGroup("/v1/models").RequireKey(Scopes.ModelsRead);
        models.MapGet("", List);

        // A catch-all, because ids hold slashes (meta-llama/…), which clients send as %2F or as they are.
        models.MapGet("/{**id}", Find);
    }

    private static IResult List(HttpContext context)
    {
        var (key, snapshot) = context.KeyedCall();
        var caller = new Caller(key);
        var allowed = snapshot.Registry.ModelsOf(caller.Tenant).Names.Where(caller.MayUse).Order(StringComparer.Ordinal).ToArray();
        return IsAnthropic(context)
            ? Results.Json(new AnthropicModelListView([.. allowed.Select(AnthropicViewOf)], HasMore: false, allowed.FirstOrDefault(), allowed.LastOrDefault()), ModelJson.Default.AnthropicModelListView)
            : Results.Json(new ModelListView("list", [.. allowed.Select(ViewOf)]), ModelJson.Default.ModelListView);
    }

    private static async Task Find(HttpContext context, string id)
    {
        var (key, snapshot) = context.KeyedCall();
        var name = Uri.UnescapeDataString(id);
        if (new Caller(key).MayUse(name) && snapshot.Registry.ModelsOf(key.Tenant).Find(name) is not null)
        {
            var found = IsAnthropic(context) ? Results.Json(AnthropicViewOf(name), ModelJson.Default.AnthropicModelView) : Results.Json(ViewOf(name), ModelJson.Default.ModelView);
            await found.ExecuteAsync(context);
            return;
        }

        await context.RefuseAsync(GatewayError.ModelNotFound(name));
    }

    // Both dialects have this path; only Anthropic's clients name the version of theirs.
    private static bool IsAnthropic(HttpContext context) => context.Request.Headers.ContainsKey(GatewayHeaders.AnthropicVersion);

    private static AnthropicModelView AnthropicViewOf(string name) => new("model", name, name, "1970-01-01T00:00:00Z");

    private static ModelView ViewOf(string name) => new(name, "model", 0, "token-factory");
}
