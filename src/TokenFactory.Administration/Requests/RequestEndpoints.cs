using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using TokenFactory.Administration.Usage;
using TokenFactory.Inference.Dispatch.Running;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage.Audit;
using TokenFactory.Storage.Requests;

namespace TokenFactory.Administration.Requests;

/// <summary>
/// The life of every request of a caller's own project, on whatever replica it runs or ran, and stopping it. The tenant and project come
/// from the key and from nothing in the request (P9): what is another's is as unknown as what never was.
/// </summary>
public static class RequestEndpoints
{
    /// <param name="callerOf">The verified key of this request, as the data plane left it; null answers 401.</param>
    public static RouteGroupBuilder MapRequests(this IEndpointRouteBuilder routes, Func<HttpContext, ApiKey?> callerOf)
    {
        var group = Group(routes, callerOf, Scopes.RequestsRead);
        group.MapGet("", (HttpContext context, IRequestHistory history, SnapshotStore snapshots) => PageAsync(context, callerOf(context)!, history, snapshots));
        group.MapGet("/{id}", async (HttpContext context, string id, IRequestHistory history, IAuditTrail trail, SnapshotStore snapshots) =>
            await FindAsync(callerOf(context)!, id, history, trail, snapshots, context.RequestAborted) is { } view ? Json(view, StatusCodes.Status200OK) : Unknown());
        return group;
    }

    /// <param name="callerOf">The verified key of this request, as the data plane left it; null answers 401.</param>
    public static RouteGroupBuilder MapCancellations(this IEndpointRouteBuilder routes, Func<HttpContext, ApiKey?> callerOf)
    {
        var group = Group(routes, callerOf, Scopes.RequestsCancel);
        group.MapPost("/{id}/cancel", async (HttpContext context, string id, IRequestHistory history, IAuditTrail trail, SnapshotStore snapshots, ICancellations cancellations, RunningRequests running) =>
        {
            var caller = callerOf(context)!;
            var found = await FindAsync(caller, id, history, trail, snapshots, context.RequestAborted);
            if (found is null)
            {
                return Unknown();
            }

            if (found.State == UsageQuestion.Running)
            {
                // Durable first: if this process ends now, the one that runs the request stops it all the same.
                await cancellations.RequestAsync(found.Id, caller.Tenant.Name, caller.Project.Name, caller.Id, context.RequestAborted);
                running.Cancel(found.Id);
                found = await FindAsync(caller, id, history, trail, snapshots, context.RequestAborted) ?? found;
            }

            // Asked again, or too late, it answers how the request ended: either way it no longer runs, which is what was asked for.
            return Json(found, found.State == UsageQuestion.Running ? StatusCodes.Status202Accepted : StatusCodes.Status200OK);
        });
        return group;
    }

    private static RouteGroupBuilder Group(IEndpointRouteBuilder routes, Func<HttpContext, ApiKey?> callerOf, string scope) =>
        routes.MapGroup("/v1/requests").AddEndpointFilter((invocation, next) => CallerAnswers.ServeAsync(callerOf(invocation.HttpContext), scope, invocation, next));

    private static async Task<IResult> PageAsync(HttpContext context, ApiKey caller, IRequestHistory history, SnapshotStore snapshots)
    {
        if (CallerAnswers.Repeated(context.Request.Query) is { } repeated)
        {
            return repeated;
        }

        var question = UsageQuestion.OfRequests(CallerAnswers.ParametersOf(context.Request.Query));
        if (question.Refusal is { } refusal)
        {
            return CallerAnswers.Bad(refusal);
        }

        try
        {
            var filter = question.FilterFor(caller.Tenant.Name, caller.Project.Name);
            var page = await history.PageAsync(filter, question.States, question.After, question.Limit, context.RequestAborted);
            return CallerAnswers.Json(RequestJson.Of(page, snapshots.Current?.Registry));
        }
        catch (FormatException)
        {
            return CallerAnswers.Bad(new UsageRefusal("after", CallerAnswers.AfterForm));
        }
    }

    /// <summary>Also what was not let through: it was never admitted, and the audit trail alone has it.</summary>
    private static async Task<RequestView?> FindAsync(ApiKey caller, string id, IRequestHistory history, IAuditTrail trail, SnapshotStore snapshots, CancellationToken cancel)
    {
        if (!Guid.TryParseExact(id, "D", out var request))
        {
            return null;
        }

        if (await history.FindAsync(request, caller.Tenant.Name, caller.Project.Name, cancel) is { } record)
        {
            return RequestView.Of(record, snapshots.Current?.Registry);
        }

        return await trail.FindAsync(request, caller.Tenant.Name, cancel) is { Kind: AuditKind.Denial } denial && denial.Project == caller.Project.Name
            ? RequestView.OfDenial(denial)
            : null;
    }

    private static IResult Json(RequestView view, int status) => Results.Json(view, UsageJson.Options, statusCode: status);

    private static IResult Unknown() => CallerAnswers.Error(
        StatusCodes.Status404NotFound, "invalid_request_error", "id", "There is no such request in your project. Use the x-request-id of a response, or an id of GET /v1/requests.", "not_found");
}
