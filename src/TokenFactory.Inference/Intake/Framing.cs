using Microsoft.AspNetCore.Http;

namespace TokenFactory.Inference.Intake;

/// <summary>Whether a request's body can be read by one reading alone: of one length, of JSON, as it is.</summary>
internal static class Framing
{
    public static GatewayError? Judge(HttpRequest request)
    {
        // Two lengths are how requests are smuggled past a proxy: nobody may choose between them, so it is refused.
        // Kestrel keeps the overridden Content-Length under this name.
        if (request.Headers.TransferEncoding.Count > 0 && (request.ContentLength is not null || request.Headers.ContainsKey("X-Content-Length")))
        {
            return GatewayError.AmbiguousLength;
        }

        return IsJson(request.ContentType) && request.Headers.ContentEncoding.Count == 0 ? null : GatewayError.UnsupportedMediaType;
    }

    private static bool IsJson(string? contentType)
    {
        const string Json = "application/json";
        return contentType is not null
            && contentType.StartsWith(Json, StringComparison.OrdinalIgnoreCase)
            && (contentType.Length == Json.Length || contentType[Json.Length] is ';' or ' ');
    }
}
