using System.Collections.Concurrent;
using System.Collections.Frozen;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference.ModelAudit;

/// <summary>
/// Notes what each attempt told of its deployment, at the request's end. Needs Attempts and Usage; leaves nothing, waits for nothing and
/// never fails a request.
/// </summary>
internal sealed class AnswerWatch
{
    private static readonly FrozenSet<string> _failures = new[]
    {
        GatewayError.NoBackend, GatewayError.BackendFailed, GatewayError.BackendCut, GatewayError.BackendTimedOut, GatewayError.BackendRejectedUs,
    }.Select(static error => error.Label).ToFrozenSet(StringComparer.Ordinal);

    // Azure, OpenAI, and those that copied them; in a refusal's code or type.
    private static readonly string[] _policies = ["content_filter", "content_policy", "policy_violation", "moderation", "safety"];

    private readonly ConcurrentDictionary<string, DeploymentWatch> _watches = new(StringComparer.Ordinal);

    public IEnumerable<DeploymentWatch> All => _watches.Select(static one => one.Value);

    public void Saw(Exchange exchange)
    {
        var attempts = exchange.Attempts;
        for (var index = 0; index < attempts.Count; index++)
        {
            var attempt = attempts[index];
            if (!exchange.Snapshot.Registry.Deployments.TryGetValue(attempt.Deployment, out var deployment) || deployment.Provider.IsInside)
            {
                continue;
            }

            var end = EndOf(exchange, attempt, isLast: index == attempts.Count - 1);
            if (end != AnswerEnd.Unsaid)
            {
                Of(deployment, exchange.Snapshot.Version)?.Add(end == AnswerEnd.Answered ? Answered(exchange, attempt) : new AnswerSample(end, attempt.Duration));
            }
        }
    }

    /// <summary>It is not configured any more. Requests that were begun before may bring it back until it is forgotten again.</summary>
    public void Forget(string deployment) => _watches.TryRemove(deployment, out _);

    /// <returns>Null for a request that was begun under a configuration which is not in force any more.</returns>
    public DeploymentWatch? Of(Deployment deployment, long version)
    {
        if (!_watches.TryGetValue(deployment.Name, out var watch))
        {
            watch = _watches.GetOrAdd(deployment.Name, static (_, made) => new DeploymentWatch(made.deployment, made.version), (deployment, version));
        }

        if (watch.IsOf(deployment))
        {
            return watch;
        }

        if (version <= watch.Version)
        {
            return null;
        }

        var anew = new DeploymentWatch(deployment, version);
        return _watches.TryUpdate(deployment.Name, anew, watch) ? anew : null;
    }

    private static AnswerEnd EndOf(Exchange exchange, Attempt attempt, bool isLast)
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

    private static bool IsPolicy(string? word) => word is not null && Array.Exists(_policies, policy => word.Contains(policy, StringComparison.OrdinalIgnoreCase));

    private static AnswerSample Answered(Exchange exchange, Attempt attempt)
    {
        var (reason, model, fingerprint) = exchange.Answer.Answer?.Said ?? default;
        var isStream = exchange.Head is { IsEventStream: true };
        var tokens = exchange.Usage.Tokens;
        return new AnswerSample(reason is "content_filter" or "refusal" ? AnswerEnd.Refused : AnswerEnd.Answered, attempt.Duration)
        {
            IsStream = isStream,
            EndedByItself = reason is not ("length" or "max_tokens" or "model_context_window_exceeded" or "content_filter" or "refusal"),
            Input = tokens.InputUncached + tokens.CacheWrite,
            Output = exchange.Operation is not (Operations.Embeddings or Operations.Responses) && exchange.Usage.Evidence is Evidence.Reported or Evidence.Counted ? tokens.Output : null,
            Choices = (int)Math.Clamp(exchange.Ask.Choices, 1, int.MaxValue),

            // The first event of a response is sent before its first token, and its end says nothing of who ended it.
            FirstByte = isStream && exchange.Operation != Operations.Responses ? exchange.FirstByteAfter : null,
            Model = model,
            Fingerprint = fingerprint,
        };
    }
}
