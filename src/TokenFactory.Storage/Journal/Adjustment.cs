using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Journal;

/// <summary>What stands in the ledger of a settled request.</summary>
internal readonly record struct Standing(Outcome Outcome, Evidence Evidence, TokenUsage Tokens, long CostNanoUsd);

/// <summary>
/// What became known of a request after it was settled, as an event of its own: settlements are never rewritten (P2). Its counts are
/// differences, so that who adds up a request's events has the truth.
/// </summary>
/// <param name="Stood">The outcome the settlement has and keeps: the adjustment is counted with it.</param>
internal sealed record Adjustment(Settlement Known, Outcome Stood, TokenUsage Tokens, long CostNanoUsd)
{
    /// <summary>Made from the request's, so that what is written again or learnt again is the same event: a request is adjusted once at most.</summary>
    public Guid Id => Ids.AdjustmentOf(Known.Admission.RequestId);

    /// <returns>Null when what stands is as good: the first settlement counts, unless it was made by who did not know.</returns>
    /// <param name="isLate">Offered by the one who knows that the first settlement's outcome was told to nobody.</param>
    public static Adjustment? Of(Settlement known, Standing standing, bool isLate)
    {
        // A settler of orphans knows less than anyone; and only its settlements, or one's own of unknown outcome, may be mended.
        if (known.Outcome == Outcome.Orphaned || (standing.Outcome != Outcome.Orphaned && !isLate))
        {
            return null;
        }

        return standing == new Standing(known.Outcome, known.Evidence, known.Tokens, known.CostNanoUsd)
            ? null
            : new Adjustment(known, standing.Outcome, Difference(known.Tokens, standing.Tokens), known.CostNanoUsd - standing.CostNanoUsd);
    }

    private static TokenUsage Difference(in TokenUsage to, in TokenUsage from) => new(
        to.InputUncached - from.InputUncached, to.CacheRead - from.CacheRead, to.CacheWrite - from.CacheWrite, to.Output - from.Output, to.Reasoning - from.Reasoning);
}
