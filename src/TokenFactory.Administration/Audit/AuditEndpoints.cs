using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using TokenFactory.Administration.Usage;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage.Audit;

namespace TokenFactory.Administration.Audit;

/// <summary>
/// What a caller may see of the audit trail: its own project's records within its own tenant, with a key that has
/// <c>audit:read</c>. The tenant and project come from the key and from nothing in the request (P9).
/// </summary>
public static class AuditEndpoints
{
    /// <param name="callerOf">The verified key of this request, as the data plane left it; null answers 401.</param>
    public static RouteGroupBuilder MapAudit(this IEndpointRouteBuilder routes, Func<HttpContext, ApiKey?> callerOf)
    {
        var group = routes.MapGroup("/v1/audit").AddEndpointFilter((invocation, next) =>
            CallerAnswers.ServeAsync(callerOf(invocation.HttpContext), Scopes.AuditRead, invocation, next));
        group.MapGet("", (HttpContext context, IAuditTrail trail) => PageAsync(context, callerOf(context)!, trail));
        group.MapGet("/{id}", (HttpContext context, string id, IAuditTrail trail) => FindAsync(context, callerOf(context)!, id, trail));
        return group;
    }

    private static async Task<IResult> PageAsync(HttpContext context, ApiKey caller, IAuditTrail trail)
    {
        if (CallerAnswers.Repeated(context.Request.Query) is { } repeated)
        {
            return repeated;
        }

        var question = UsageQuestion.OfAudit(CallerAnswers.ParametersOf(context.Request.Query));
        if (question.Refusal is { } refusal)
        {
            return CallerAnswers.Bad(refusal);
        }

        Guid? before = null;
        if (question.After is { } after)
        {
            if (!Guid.TryParseExact(after, "D", out var last))
            {
                return CallerAnswers.Bad(new UsageRefusal("after", CallerAnswers.AfterForm));
            }

            before = last;
        }

        // One more than asked for tells whether there is a next page.
        var records = await trail.PageAsync(question.AuditFilterFor(caller.Tenant.Name, caller.Project.Name), before, question.Limit + 1, context.RequestAborted);
        return Json(json =>
        {
            var hasMore = records.Count > question.Limit;
            json.WriteStartObject();
            json.WriteString("object"u8, "list"u8);
            json.WriteStartArray("data"u8);
            foreach (var record in records.Take(question.Limit))
            {
                AuditJson.WriteForCaller(json, record);
            }

            json.WriteEndArray();
            json.WriteBoolean("has_more"u8, hasMore);
            json.WriteString("next"u8, hasMore ? records[question.Limit - 1].Id.ToString("D") : null);
            json.WriteEndObject();
        });
    }

    private static async Task<IResult> FindAsync(HttpContext context, ApiKey caller, string id, IAuditTrail trail) =>
        Guid.TryParseExact(id, "D", out var request) && await trail.FindAsync(request, caller.Tenant.Name, context.RequestAborted) is { } record && record.Project == caller.Project.Name
            ? Json(json => AuditJson.WriteForCaller(json, record))
            : CallerAnswers.Error(StatusCodes.Status404NotFound, "invalid_request_error", "id", "There is no record of this request in your project. Use the x-request-id of a response.", "not_found");

    private static IResult Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, AuditJson.Plain))
        {
            write(json);
        }

        return Results.Bytes(buffer.WrittenMemory, "application/json");
    }
}
