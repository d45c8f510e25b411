using TokenFactory.Inference.Dispatch.Standing;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Metering;

/// <summary>
/// Tells how a deployment stands of what use its answers are: the quality fallback, for deployments that are configured so. An attempt without
/// an answer is no answer of low quality; those open the circuit.
/// </summary>
internal sealed class AnswerJudge(Standings standings)
{
    /// <summary>At the request's end.</summary>
    /// <param name="isJudgedLater">Whoever asked looks at the answer's form, and calls <see cref="Judged"/>.</param>
    public void Saw(Exchange exchange, bool isJudgedLater)
    {
        if (!(isJudgedLater && exchange.Failure is null))
        {
            Tell(exchange, AnswerFlaws.None);
        }
    }

    /// <summary>Whether the answer has the form that was asked for. One that a bound cut has none, which the caller may have wanted.</summary>
    public void Judged(Exchange exchange, bool fits) =>
        Tell(exchange, fits || !AnswerEnds.IsOwnEnd(exchange.Answer.Answer?.Said.FinishReason) ? AnswerFlaws.None : AnswerFlaws.Invalid);

    private void Tell(Exchange exchange, AnswerFlaws also)
    {
        if (exchange.Attempts is [.., { } last] && exchange.Snapshot.Registry.Deployments.TryGetValue(last.Deployment, out var deployment)
            && deployment is { LowQuality: { } quality, Provider.IsInside: false } && FlawsOf(exchange) is { } flaws)
        {
            standings.Answered(deployment, isLow: ((flaws | also) & quality.Counts) != AnswerFlaws.None);
        }
    }

    /// <returns>Null when there is no answer to judge.</returns>
    private static AnswerFlaws? FlawsOf(Exchange exchange) => AnswerEnds.Of(exchange, exchange.Attempts[^1], isLast: true) switch
    {
        AnswerEnd.Refused => AnswerFlaws.Refused,
        AnswerEnd.Answered when exchange.Answer.Answer is { } answer => answer.Said.FinishReason is { } reason && AnswerEnds.IsRefusal(reason) ? AnswerFlaws.Refused
            : IsEmpty(exchange, answer.SawContent, answer.Said.FinishReason) ? AnswerFlaws.Empty
            : AnswerFlaws.None,
        _ => null,
    };

    /// <summary>Of responses only the pieces of text are read, and an item that comes at once, such as a computer's call, has none.</summary>
    private static bool IsEmpty(Exchange exchange, bool sawContent, string? reason) =>
        !sawContent && exchange.Operation is (Operations.Chat or Operations.Completions) && AnswerEnds.IsOwnEnd(reason);
}
