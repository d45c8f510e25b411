using Microsoft.AspNetCore.Http;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage;

namespace TokenFactory.Administration.Usage;

/// <summary>What callers are told when they ask for what is kept of them: questions by query string, errors in the dialects' shape.</summary>
internal static class CallerAnswers
{
    public const string AfterForm = "accepted: the next of a page before this one, unchanged";

    /// <summary>Whoever may ask is answered; a store that does not answer is 503 and no bug.</summary>
    public static async ValueTask<object?> ServeAsync(ApiKey? caller, string scope, EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        if (Refusal(caller, scope) is { } refusal)
        {
            return refusal;
        }

        try
        {
            return await next(invocation);
        }
        catch (StorageException)
        {
            invocation.HttpContext.Response.Headers.RetryAfter = "5";
            return Error(StatusCodes.Status503ServiceUnavailable, "service_unavailable_error", null, "What is kept cannot be read at the moment. Try again shortly.", "store_unavailable");
        }
    }

    private static IResult? Refusal(ApiKey? caller, string scope) => caller switch
    {
        null => Error(StatusCodes.Status401Unauthorized, "authentication_error", null, "Missing or invalid API key.", "invalid_api_key"),
        _ when !Scopes.Grants(caller.Scopes, scope) => Error(
            StatusCodes.Status403Forbidden, "permission_error", null, $"This key lacks the scope {scope}.", "insufficient_scope"),
        _ => null,
    };

    public static IResult? Repeated(IQueryCollection query) =>
        query.FirstOrDefault(parameter => parameter.Value.Count > 1) is { Key: { } name }
            ? Bad(new UsageRefusal(name, "write it once; several values are separated by commas where a parameter takes several"))
            : null;

    public static Dictionary<string, string> ParametersOf(IQueryCollection query) =>
        query.ToDictionary(parameter => parameter.Key, parameter => (string?)parameter.Value ?? "", StringComparer.Ordinal);

    public static IResult Bad(UsageRefusal refusal) => Error(
        StatusCodes.Status400BadRequest, "invalid_request_error", refusal.Parameter, $"{refusal.Parameter}: {refusal.Message}", null);

    public static IResult Error(int status, string type, string? param, string message, string? code) =>
        Results.Json(new { error = new { message, type, param, code } }, statusCode: status);

    public static IResult Json(string json) => Results.Text(json, "application/json");
}
