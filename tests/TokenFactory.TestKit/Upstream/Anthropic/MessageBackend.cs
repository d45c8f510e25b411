using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace TokenFactory.TestKit.Upstream.Anthropic;

/// <summary>What a healthy Anthropic service answers besides messages.</summary>
internal static class MessageBackend
{
    private const string Version = "anthropic-version";

    /// <summary>Every request of this dialect states its version; the paths are its own in any case.</summary>
    public static bool IsSpokenTo(HttpRequest request) => request.Path.StartsWithSegments("/v1/messages") || request.Headers.ContainsKey(Version);

    /// <summary>Keys come in a header of their own; newer clients send them as bearer tokens.</summary>
    public static bool Admits(HttpRequest request, string key) => request.Headers["x-api-key"] == key || request.Headers.Authorization == "Bearer " + key;

    public static Script Unauthorized(HttpRequest request) => MessageScript.Error(401, "authentication_error", request.Headers.ContainsKey("x-api-key") ? "invalid x-api-key"
        : request.Headers.ContainsKey("authorization") ? "Invalid bearer token" : "x-api-key header is required");

    /// <returns>Null when the request keeps every rule.</returns>
    public static Script? Refusal(HttpRequest request, UpstreamAsk? ask)
    {
        if (!request.Headers.ContainsKey(Version))
        {
            return BadRequest("anthropic-version: header is required");
        }

        return ask is null ? BadRequest("The request body is not valid JSON") : ask.Fault is { } fault ? BadRequest(fault) : null;
    }

    public static Script UnknownModel(string model) => MessageScript.Error(404, "not_found_error", $"model: {model}");

    public static Script Page(string method, string path, IReadOnlyList<string> models)
    {
        if (method == "GET" && path == "/v1/models")
        {
            return Script.Json(200, JsonSerializer.Serialize(new { data = models.Select(Model), has_more = false, first_id = models is [var first, ..] ? first : null, last_id = models is [.., var last] ? last : null })).Named("honest");
        }

        var id = path.StartsWith("/v1/models/", StringComparison.Ordinal) ? path["/v1/models/".Length..].Replace("%2F", "/", StringComparison.OrdinalIgnoreCase) : "";
        return method == "GET" && models.Contains(id)
            ? Script.Json(200, JsonSerializer.Serialize(Model(id))).Named("honest")
            : MessageScript.Error(404, "not_found_error", id.Length > 0 ? $"model: {id}" : "Not found");
    }

    private static Script BadRequest(string message) => MessageScript.Error(400, "invalid_request_error", message);

    private static object Model(string id) => new
    {
        type = "model",
        id,
        display_name = id,
        created_at = "2026-01-01T00:00:00Z",
        lifecycle = "active",
        max_input_tokens = 200_000,
        max_tokens = 64_000,
        capabilities = (object?)null,
        deprecated_at = (string?)null,
        retires_at = (string?)null,
        line = (string?)null,
    };
}
