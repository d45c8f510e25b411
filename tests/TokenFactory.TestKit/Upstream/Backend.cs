using System.Text.Json;
using Microsoft.AspNetCore.Http;
using TokenFactory.TestKit.Upstream.Anthropic;

namespace TokenFactory.TestKit.Upstream;

/// <summary>What a healthy backend answers besides completions.</summary>
internal static class Backend
{
    public static UpstreamOperation OperationOf(PathString path) => path.Value switch
    {
        "/v1/chat/completions" => UpstreamOperation.Chat,
        "/v1/completions" => UpstreamOperation.Completions,
        "/v1/embeddings" => UpstreamOperation.Embeddings,
        "/v1/moderations" => UpstreamOperation.Moderations,
        "/v1/responses" => UpstreamOperation.Responses,
        "/v1/messages" => UpstreamOperation.Messages,
        "/v1/messages/count_tokens" => UpstreamOperation.CountTokens,
        _ => UpstreamOperation.Other,
    };

    /// <returns>Null when the key is right.</returns>
    public static Script? Refusal(HttpRequest request, string key)
    {
        if (MessageBackend.IsSpokenTo(request))
        {
            return MessageBackend.Admits(request, key) ? null : MessageBackend.Unauthorized(request);
        }

        return request.Headers.Authorization == "Bearer " + key ? null : Error(401, "Incorrect API key provided.", "invalid_request_error", "invalid_api_key");
    }

    public static Script Page(HttpRequest request, IReadOnlyList<string> models)
    {
        var (method, path) = (request.Method, request.Path.Value ?? "");
        if (path != "/health" && MessageBackend.IsSpokenTo(request))
        {
            return MessageBackend.Page(method, path, models);
        }

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
