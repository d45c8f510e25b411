using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Administration.Usage;

/// <summary>
/// What a caller may see of the ledger: its own project's usage within its own tenant, with a key that has
/// <c>usage:read</c>. The tenant and project come from the key and from nothing in the request (P9), so that a key id or
/// model of somebody else's finds nothing.
/// </summary>
public static class UsageEndpoints
{
    private const UsageGrouping Groups = UsageGrouping.Day | UsageGrouping.Model | UsageGrouping.Key;

    /// <param name="callerOf">The verified key of this request, as the data plane left it; null answers 401.</param>
    public static RouteGroupBuilder MapUsage(this IEndpointRouteBuilder routes, Func<HttpContext, ApiKey?> callerOf)
    {
        var group = routes.MapGroup("/v1/usage").AddEndpointFilter(async (invocation, next) => Refusal(callerOf(invocation.HttpContext)) ?? await next(invocation));
        group.MapGet("", (HttpContext context, IUsageLedger ledger) => SummariseAsync(context, callerOf(context)!, ledger));
        group.MapGet("/logs", (HttpContext context, IUsageLedger ledger) => PageAsync(context, callerOf(context)!, ledger));
        return group;
    }

    private static async Task<IResult> SummariseAsync(HttpContext context, ApiKey caller, IUsageLedger ledger)
    {
        if (Repeated(context.Request.Query) is { } repeated)
        {
            return repeated;
        }

        var question = UsageQuestion.OfSummary(ParametersOf(context.Request.Query), Groups);
        if (question.Refusal is { } refusal)
        {
            return Bad(refusal);
        }

        var totals = await ledger.SummariseAsync(question.FilterFor(caller.Tenant.Name, caller.Project.Name), question.GroupBy, context.RequestAborted);
        return Json(UsageJson.Of(totals));
    }

    private static async Task<IResult> PageAsync(HttpContext context, ApiKey caller, IUsageLedger ledger)
    {
        if (Repeated(context.Request.Query) is { } repeated)
        {
            return repeated;
        }

        var question = UsageQuestion.OfLogs(ParametersOf(context.Request.Query));
        if (question.Refusal is { } refusal)
        {
            return Bad(refusal);
        }

        try
        {
            var filter = question.FilterFor(caller.Tenant.Name, caller.Project.Name);
            return Json(UsageJson.Of(await ledger.PageAsync(filter, question.After, question.Limit, context.RequestAborted)));
        }
        catch (FormatException)
        {
            return Bad(new UsageRefusal("after", "accepted: the next of a page before this one, unchanged"));
        }
    }

    private static IResult? Refusal(ApiKey? caller) => caller switch
    {
        null => Error(StatusCodes.Status401Unauthorized, "authentication_error", null, "Missing or invalid API key.", "invalid_api_key"),
        _ when !Scopes.Grants(caller.Scopes, Scopes.UsageRead) => Error(
            StatusCodes.Status403Forbidden, "permission_error", null, $"This key lacks the scope {Scopes.UsageRead}.", "insufficient_scope"),
        _ => null,
    };

    private static IResult? Repeated(IQueryCollection query) =>
        query.FirstOrDefault(parameter => parameter.Value.Count > 1) is { Key: { } name }
            ? Bad(new UsageRefusal(name, "write it once; several values are separated by commas where a parameter takes several"))
            : null;

    private static Dictionary<string, string> ParametersOf(IQueryCollection query) =>
        query.ToDictionary(parameter => parameter.Key, parameter => (string?)parameter.Value ?? "", StringComparer.Ordinal);

    private static IResult Bad(UsageRefusal refusal) => Error(
        StatusCodes.Status400BadRequest, "invalid_request_error", refusal.Parameter, $"{refusal.Parameter}: {refusal.Message}", null);

    private static IResult Error(int status, string type, string? param, string message, string? code) =>
        Results.Json(new { error = new { message, type, param, code } }, statusCode: status);

    private static IResult Json(string json) => Results.Text(json, "application/json");
}
