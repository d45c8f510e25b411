using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace TokenFactory.TestKit.Upstream;

/// <summary>What a healthy backend answers besides completions.</summary>
internal static class Backend
{
    public static UpstreamOperation OperationOf(PathString path) => path.Value switch
    {
        "/v1/chat/completions" => UpstreamOperation.Chat,
        "/v1/completions" => UpstreamOperation.Completions,
        "/v1/embeddings" => UpstreamOperation.Embeddings,
        _ => UpstreamOperation.Other,
    };

    public static Script Page(string method, string path, IReadOnlyList<string> models)
    {
        var known = path == "/v1/models" || path == "/health" || path.StartsWith("/v1/models/", StringComparison.Ordinal);
        if (method != "GET" || !known)
        {
            return Error(404, $"Unknown request URL: {method} {path}.", "invalid_request_error", "unknown_url");
        }

        if (path is "/health" or "/v1/models")
        {
            return Script.Json(200, path == "/health"
                ? """{"status":"ok"}"""
                : JsonSerializer.Serialize(new { @object = "list", data = models.Select(Model) })).Named("honest");
        }

        var id = path["/v1/models/".Length..].Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        return models.Contains(id)
            ? Script.Json(200, JsonSerializer.Serialize(Model(id))).Named("honest")
            : Error(404, $"The model '{id}' does not exist", "invalid_request_error", "model_not_found");
    }

    public static Script Error(int status, string message, string type, string? code)
        => Script.Json(status, JsonSerializer.Serialize(new { error = new { message, type, param = (string?)null, code } })).Named("honest");

    private static object Model(string id) => new { id, @object = "model", created = 1_750_000_000, owned_by = "fake" };
}
