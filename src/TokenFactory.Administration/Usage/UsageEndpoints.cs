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
        var group = routes.MapGroup("/v1/usage").AddEndpointFilter((invocation, next) =>
            CallerAnswers.ServeAsync(callerOf(invocation.HttpContext), Scopes.UsageRead, invocation, next));
        group.MapGet("", (HttpContext context, IUsageLedger ledger) => SummariseAsync(context, callerOf(context)!, ledger));
        group.MapGet("/logs", (HttpContext context, IUsageLedger ledger) => PageAsync(context, callerOf(context)!, ledger));
        return group;
    }

    private static async Task<IResult> SummariseAsync(HttpContext context, ApiKey caller, IUsageLedger ledger)
    {
        if (CallerAnswers.Repeated(context.Request.Query) is { } repeated)
        {
            return repeated;
        }

        var question = UsageQuestion.OfSummary(CallerAnswers.ParametersOf(context.Request.Query), Groups);
        if (question.Refusal is { } refusal)
        {
            return CallerAnswers.Bad(refusal);
        }

        var totals = await ledger.SummariseAsync(question.FilterFor(caller.Tenant.Name, caller.Project.Name), question.GroupBy, context.RequestAborted);
        return CallerAnswers.Json(UsageJson.Of(totals));
    }

    private static async Task<IResult> PageAsync(HttpContext context, ApiKey caller, IUsageLedger ledger)
    {
        if (CallerAnswers.Repeated(context.Request.Query) is { } repeated)
        {
            return repeated;
        }

        var question = UsageQuestion.OfLogs(CallerAnswers.ParametersOf(context.Request.Query));
        if (question.Refusal is { } refusal)
        {
            return CallerAnswers.Bad(refusal);
        }

        try
        {
            var filter = question.FilterFor(caller.Tenant.Name, caller.Project.Name);
            return CallerAnswers.Json(UsageJson.Of(await ledger.PageAsync(filter, question.After, question.Limit, context.RequestAborted)));
        }
        catch (FormatException)
        {
            return CallerAnswers.Bad(new UsageRefusal("after", CallerAnswers.AfterForm));
        }
    }
}
