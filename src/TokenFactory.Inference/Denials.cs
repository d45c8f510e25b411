using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using TokenFactory.Inference.Policy;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage.Journal;

namespace TokenFactory.Inference;

/// <summary>
/// Refuses what may not go on, once the evidence of it is durable: an auditor sees every request of a known caller that Policy or
/// Routing did not let through. When it cannot be recorded, the caller is told that and nothing else (P4).
/// </summary>
internal sealed partial class Denials(IJournal journal, Instance instance, TimeSpan within, TimeProvider clock, ILogger<Denials> logger)
{
    /// <param name="decision">Null when the caller's words were not understood.</param>
    public async Task RefuseAsync(HttpContext context, GatewayError error, Decision? decision, IReadOnlyList<Exclusion> exclusions)
    {
        var exchange = context.Exchange;
        exchange.IsDenied = true;
        try
        {
            await journal.RecordAsync(Of(exchange, error, decision, exclusions)).WaitAsync(within, clock);
        }
        catch (Exception lost) when (lost is JournalUnavailableException or TimeoutException)
        {
            Log.NotRecorded(logger, exchange.RequestId, lost);
            error = GatewayError.JournalUnavailable;
        }

        await context.RefuseAsync(error);
    }

    private Denial Of(Exchange exchange, GatewayError error, Decision? decision, IReadOnlyList<Exclusion> exclusions)
    {
        var (ask, caller) = (exchange.Ask, exchange.Caller);
        return new Denial
        {
            RequestId = exchange.RequestId,
            InstanceId = instance.Id,
            Tenant = caller.Tenant.Name,
            Project = caller.Project.Name,
            Department = caller.Project.Department,
            User = caller.Key.User?.Name,
            KeyId = caller.Key.Id,
            Tier = caller.Tenant.Tier?.Name,
            UseCase = ask.Governance.UseCase,
            Operation = OperationNames.Of(exchange.Operation),
            Stream = ask.Stream,
            Model = ask.Model,
            PolicyDecisionId = decision?.Id,
            Policy = PolicyEvidence.Of(exchange.Snapshot, ask.Governance, decision, exclusions, exchange.Shadow),
            Error = error.Label,
            Status = error.Status,
            Reason = error.Message,
            DeniedAt = clock.GetUtcNow(),
        };
    }

    private static partial class Log
    {
        [LoggerMessage(9005, LogLevel.Error, "{RequestId} was denied and could not be recorded; the caller was told so")]
        public static partial void NotRecorded(ILogger logger, Guid requestId, Exception cause);
    }
}
