using System.Net;

namespace TokenFactory.Inference.Dispatch.Loopback;

/// <summary>Why a request is refused, as OpenAI would say it.</summary>
internal sealed record Fault(HttpStatusCode Status, string Message, string? Param = null, string? Code = null)
{
    public static Fault NotJson { get; } = new(HttpStatusCode.BadRequest, "We could not parse the JSON body of your request.");

    public static Fault TooLarge { get; } = new(HttpStatusCode.RequestEntityTooLarge, "The request body is too large.", null, "request_too_large");

    public static Fault UnknownUrl(HttpMethod method, Uri? uri) =>
        new(HttpStatusCode.NotFound, $"Unknown request URL: {method} {uri?.AbsolutePath}.", null, "unknown_url");
}
