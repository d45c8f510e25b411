using System.Collections.Frozen;
using TokenFactory.Storage.Journal;

namespace TokenFactory.Inference.Metering;

internal enum AnswerEnd : byte
{
    /// <summary>Nothing that says something of the deployment: the client's doing, the gateway's, or a quota.</summary>
    Unsaid = 0,
    Answered = 1,

    /// <summary>The model, or a filter before it, would not.</summary>
    Refused = 2,
    Failed = 3,
}

/// <summary>What the end of an attempt says of its deployment, in OpenAI's and in Anthropic's words.</summary>
internal static class AnswerEnds
{
    private static readonly FrozenSet<string> _failures = new[]
    {
        GatewayError.NoBackend, GatewayError.BackendFailed, GatewayError.BackendCut, GatewayError.BackendTimedOut, GatewayError.BackendRejectedUs,
    }.Select(static error => error.Label).ToFrozenSet(StringComparer.Ordinal);

    // Azure, OpenAI, and those that copied them; in a refusal's code or type.
    private static readonly string[] _policies = ["content_filter", "content_policy", "policy_violation", "moderation", "safety"];

    public static AnswerEnd Of(Exchange exchange, Attempt attempt, bool isLast)
    {
        if (attempt.Error is not { } error)
        {
            return AnswerEnd.Answered;
        }

        if (_failures.Contains(error))
        {
            return AnswerEnd.Failed;
        }

        // Nobody else is asked after a refusal that is about the request, so it is the last.
        return isLast && attempt.Status is >= 400 and < 500 && exchange.Failure?.Error is { } refusal && (IsPolicy(refusal.Code) || IsPolicy(refusal.Type)) ? AnswerEnd.Refused : AnswerEnd.Unsaid;
    }

    public static bool IsRefusal(string reason) => reason is "content_filter" or "refusal";

    /// <summary>Neither a bound nor a filter ended it.</summary>
    public static bool IsOwnEnd(string? reason) => reason is null || !(IsRefusal(reason) || reason is "length" or "max_tokens" or "model_context_window_exceeded");

    private static bool IsPolicy(string? word) => word is not null && Array.Exists(_policies, policy => word.Contains(policy, StringComparison.OrdinalIgnoreCase));
}
