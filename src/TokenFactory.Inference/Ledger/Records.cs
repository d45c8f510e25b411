using TokenFactory.Inference.Policy;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference.Ledger;

/// <summary>Makes the durable records of an exchange.</summary>
internal static class Records
{
    public static Admission AdmissionOf(Exchange exchange, Guid instanceId)
    {
        var (ask, caller) = (exchange.Ask, exchange.Caller);
        return new Admission
        {
            RequestId = exchange.RequestId,
            InstanceId = instanceId,
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
            Placement = exchange.Plan.Candidates[0].PlacementFor(ask.Model),
            PolicyDecisionId = exchange.Decision.Id,
            Policy = PolicyEvidence.Of(exchange.Snapshot, ask.Governance, exchange.Decision, exchange.Plan.Exclusions, exchange.Shadow),
            EstimatedInputTokens = ask.InputEstimate + (ask.Conversation?.Tokens ?? 0),
            AcceptedAt = exchange.AcceptedAt,
        };
    }

    public static Settlement SettlementOf(Exchange exchange, Admission admission, TimeProvider clock)
    {
        var failure = exchange.Failure;
        var firstByteAt = exchange.Answer.Delivery.FirstByteAt;
        return new Settlement
        {
            Admission = admission,
            Placement = exchange.Placement ?? admission.Placement,
            Outcome = failure?.Outcome ?? Outcome.Completed,
            Evidence = exchange.Usage.Evidence,
            Tokens = exchange.Usage.Tokens,
            Error = failure?.Error.Label,
            Attempts = exchange.Attempts,
            Skipped = exchange.Skipped,
            SettledAt = clock.GetUtcNow(),
            TimeToFirstToken = firstByteAt == 0 ? null : clock.GetElapsedTime(exchange.StartedAt, firstByteAt),
            Duration = clock.GetElapsedTime(exchange.StartedAt),
        };
    }

    /// <summary>
    /// What stands in the ledger when the store did not take the settlement in time: the answer was not ended, so it is not
    /// completed, and what was never delivered costs nothing. Without a durable admission nothing at all was.
    /// </summary>
    public static Settlement Unrecorded(Settlement settlement, bool admitted, bool delivered)
    {
        if (settlement.Outcome != Outcome.Completed && admitted)
        {
            return settlement;
        }

        return settlement with
        {
            Outcome = settlement.Outcome == Outcome.Completed ? Outcome.Failed : settlement.Outcome,
            Error = GatewayError.JournalUnavailable.Label,
            Evidence = delivered && admitted ? settlement.Evidence : Evidence.KnownZero,
            Tokens = delivered && admitted ? settlement.Tokens : TokenUsage.Zero,
        };
    }
}
